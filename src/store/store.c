/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "src/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "src/store/sql.h"
#include "src/util/interrupt.h"

#define LOCK_TRIES	20
#define LOCK_PAUSE_USEC 50000
#define STEPS_PER_LOOK	100000	   /* of SQLite's machine, some milliseconds */
#define APPLICATION_ID	0x64706472 /* "dpdr" in the file's head, which file(1) and SQLite show */
/* The offset of the locked byte, which neither SQLite nor the data ever reaches. */
#define LOCK_OFFSET ((off_t)1 << 61)

/* Filesystems of one machine. On these the processes that have the file open can share memory,
 * which SQLite's write-ahead log needs. */
static const long local_filesystems[] = {
	EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,  BTRFS_SUPER_MAGIC,
	TMPFS_MAGIC,	  F2FS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC
};

/* Locks one byte of the store itself. The lock belongs to the open file description: it leaves no
 * file behind, ends with the last process that has the file open, and is not touched by SQLite,
 * which unlocks all that belongs to the process. The agents of a sweep that was killed hold it for
 * a moment longer, so this tries again. */
static int lock(struct store *store, struct error *err)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_OFFSET, .l_len = 1
	};

	for (int i = 0; fcntl(store->lock_fd, F_OFD_SETLK, &lock) < 0; i++) {
		if (errno != EACCES && errno != EAGAIN)
			return error_set(err, ERROR_FAILED, -errno, "lock %s: %s", store->path,
					 strerror(errno));
		if (i == LOCK_TRIES)
			return error_input(err,
					   "%s: another process is writing it; wait for its end, "
					   "or use another file",
					   store->path);
		usleep(LOCK_PAUSE_USEC);
	}
	return 0;
}

static int open_file(struct store *store, enum store_mode mode, struct error *err)
{
	int flags = mode == STORE_READ ? O_RDONLY : O_RDWR, rc;
	struct stat st;

	store->lock_fd =
		open(store->path,
		     flags | O_CLOEXEC | O_NONBLOCK | (mode >= STORE_CREATE ? O_CREAT : 0), 0666);
	if (store->lock_fd < 0 || fstat(store->lock_fd, &st) < 0)
		return error_input(err, "%s: %s", store->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return error_input(err, "%s: is not a file", store->path);
	if (mode == STORE_READ) {
		store->lock_fd = fd_close(store->lock_fd);
		return 0;
	}
	rc = lock(store, err);
	store->fresh =
		rc >= 0 && mode >= STORE_CREATE && fstat(store->lock_fd, &st) == 0 && !st.st_size;
	return rc;
}

static bool is_local(const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(local_filesystems); i++)
		if (fs.f_type == (__typeof__(fs.f_type))local_filesystems[i])
			return true;
	return false;
}

/* Ends a statement that runs when a signal comes, where the signals are blocked. */
static int on_progress(void *userdata)
{
	return interrupt_pending();
}

/* Opens the database. With synchronous = FULL a transaction is on the disk when it is over; a
 * write-ahead log needs only one flush for that. */
static int open_database(struct store *store, enum store_mode mode, struct error *err)
{
	int flags = mode == STORE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	int rc;

	if (lib_sqlite3_open_v2(store->path, &store->db, flags, NULL) != SQLITE_OK)
		return store_error(store, err);
	lib_sqlite3_busy_timeout(store->db, 60000);
	lib_sqlite3_progress_handler(store->db, STEPS_PER_LOOK, on_progress, NULL);
	rc = store_exec(store, "PRAGMA foreign_keys = ON", err);
	if (rc < 0 || mode == STORE_READ)
		return rc;
	rc = store_exec(store,
			is_local(store->path) ? "PRAGMA journal_mode = WAL"
					      : "PRAGMA journal_mode = TRUNCATE",
			err);
	return rc < 0 ? rc : store_exec(store, "PRAGMA synchronous = FULL", err);
}

static int write_study(struct store *store, const struct store_study *study, struct error *err)
{
	return store_run_once(store, err, "INSERT INTO study VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			      STORE_VALUES(sql_text(study->name), sql_text(study->file),
					   sql_text(study->text), sql_text(study->engine),
					   sql_text(study->deadpeer), SQL_NUMBER(study->seed),
					   SQL_NUMBER(study->quick), SQL_NUMBER(study->trials),
					   SQL_NUMBER(study->shard), SQL_NUMBER(study->shards)));
}

/* Fills a new store in one transaction, so that a process that is killed here leaves an empty file.
 */
static int create(struct store *store, const struct store_study *study, struct error *err)
{
	char pragmas[128];
	int rc;

	snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 APPLICATION_ID, STORE_SCHEMA);
	rc = store_exec(store, "BEGIN IMMEDIATE", err);
	if (rc >= 0)
		rc = store_exec(store, pragmas, err);
	if (rc >= 0)
		rc = store_exec(store, store_schema, err);
	if (rc >= 0)
		rc = write_study(store, study, err);
	return rc < 0 ? rc : store_exec(store, "COMMIT", err);
}

static int read_study(struct store *store, struct error *err)
{
	_cleanup_(statement_finalizep) sqlite3_stmt *s = NULL;
	struct store_study study;
	int rc = store_prepare(store,
			       "SELECT name, file, text, engine, deadpeer, seed, quick, trials, "
			       "shard, shards FROM study",
			       &s, err);

	if (rc >= 0)
		rc = store_next(store, s, err);
	if (rc < 0)
		return rc;
	if (!rc)
		return error_input(err, "%s: its table 'study' is empty", store->path);
	study = (struct store_study){
		.name = (char *)store_text(s, 0),
		.file = (char *)store_text(s, 1),
		.text = (char *)store_text(s, 2),
		.engine = (char *)store_text(s, 3),
		.deadpeer = (char *)store_text(s, 4),
		.seed = (uint64_t)lib_sqlite3_column_int64(s, 5),
		.quick = lib_sqlite3_column_int64(s, 6),
		.trials = (size_t)lib_sqlite3_column_int64(s, 7),
		.shard = (unsigned int)lib_sqlite3_column_int64(s, 8),
		.shards = (unsigned int)lib_sqlite3_column_int64(s, 9),
	};
	return store_study_copy(&store->study, &study, err);
}

static int refuse_other(const struct store *store, const struct store_study *study,
			struct error *err)
{
	const struct store_study *held = &store->study;
	const char *how = store_study_differs(held, study);
	char text[128];

	if (held->name && (!study->name || strcmp(held->name, study->name) != 0)) {
		snprintf(text, sizeof(text), "the study '%s'", held->name);
		how = text;
	} else if (!how && (held->shard != study->shard || held->shards != study->shards)) {
		snprintf(text, sizeof(text), "shard %u/%u of the study", held->shard, held->shards);
		how = text;
	}
	return how ? error_input(err, "%s: holds %s; go on with that, or use another --db",
				 store->path, how)
		   : 0;
}

static int open_content(struct store *store, enum store_mode mode, const struct store_study *study,
			struct error *err)
{
	int64_t tables = 0, id = 0, version = 0;
	int rc = store_number(store, "SELECT count(*) FROM sqlite_schema", &tables, err);

	if (rc >= 0)
		rc = store_number(store, "PRAGMA application_id", &id, err);
	if (rc >= 0)
		rc = store_number(store, "PRAGMA user_version", &version, err);
	if (rc < 0)
		return rc;
	if (!tables && !id && mode >= STORE_CREATE) {
		rc = create(store, study, err);
		if (rc >= 0)
			rc = store_find_extras(store, true, err);
		return rc < 0 ? rc : read_study(store, err);
	}
	if (id != APPLICATION_ID)
		return error_input(err, "%s: is no store of deadpeer's", store->path);
	if (version < 1 || version > STORE_SCHEMA)
		return error_input(err, "%s: has schema %lld; this deadpeer knows 1 to %d",
				   store->path, (long long)version, STORE_SCHEMA);
	rc = store_check_schema(store, (int)version, err);
	if (rc < 0)
		return rc;
	if (mode == STORE_CREATE)
		return error_set(err, ERROR_INPUT, -EEXIST, "%s: is there already", store->path);
	rc = read_study(store, err);
	if (rc >= 0 && mode == STORE_RESUME)
		rc = refuse_other(store, study, err);
	if (rc >= 0)
		rc = store_find_extras(store, mode == STORE_RESUME, err);
	if (rc < 0 || version == STORE_SCHEMA)
		return rc;
	return mode == STORE_RESUME ? store_upgrade(store, err) : store_read_as_newest(store, err);
}

/* Removes a store that could not be made, for example because the disk is full. */
static void remove_fresh(const char *path)
{
	static const char *const endings[] = { "", "-wal", "-shm", "-journal" };
	char name[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (snprintf(name, sizeof(name), "%s%s", path, endings[i]) < (int)sizeof(name))
			unlink(name);
}

int store_open(const char *path, enum store_mode mode, const struct store_study *study,
	       struct store **ret_store, struct error *err)
{
	_cleanup_(store_closep) struct store *store = NULL;
	int rc = sqlite_load(err);

	if (rc < 0)
		return rc;
	store = calloc(1, sizeof(*store));
	if (!store)
		return error_errno(err, -ENOMEM, "store");
	store->lock_fd = -1;
	store->path = strdup(path);
	if (!store->path)
		return error_errno(err, -ENOMEM, "store");
	rc = open_file(store, mode, err);
	if (rc >= 0)
		rc = open_database(store, mode, err);
	if (rc >= 0)
		rc = open_content(store, mode, study, err);
	if (rc >= 0) {
		*ret_store = take_ptr(store);
	} else if (store->fresh) {
		if (store->db)
			lib_sqlite3_close(store->db);
		store->db = NULL;
		remove_fresh(path); /* the file is still locked */
	}
	return rc;
}

static void end_session(struct store *store)
{
	if (store->session[0])
		store_run_once(store, NULL,
			       "UPDATE session SET ended = " STORE_NOW " WHERE session = ?",
			       STORE_VALUES(sql_text(store->session)));
}

/* Closes the store and turns the write-ahead log off, which makes the store a single file that can
 * be read on read-only media too. If that fails, as on a full disk, the log stays beside the store
 * with what the store lacks. */
struct store *store_close(struct store *store)
{
	if (!store)
		return NULL;
	if (store->db && store->lock_fd >= 0) {
		lib_sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
		end_session(store);
	}
	for (int i = 0; store->db && i < _INSERT_MAX; i++)
		lib_sqlite3_finalize(store->insert[i]);
	if (store->db && store->lock_fd >= 0)
		lib_sqlite3_exec(store->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
	if (store->db)
		lib_sqlite3_close(store->db);
	fd_close(store->lock_fd);
	store_study_deinit(&store->study);
	free(store->path);
	free(store);
	return NULL;
}

const char *store_path(const struct store *store)
{
	return store->path;
}

const struct store_study *store_study(const struct store *store)
{
	return &store->study;
}
