/* A disk that fails, is slow, fills up or loses its power on demand, and a clock that jumps: preloaded into the real
 * binary. Its settings are the 64-bit words of the file that COUNTERSIGN_DISK names; they may be changed at any
 * time. Only files whose names end in .db, -wal or -journal are touched. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum word {
    SYNC_FAILS,        /* fsync and fdatasync give EIO; what was to be synced is lost for good, as on Linux */
    SYNC_DELAY_US,     /* each fsync and fdatasync takes so much longer */
    SYNCS_DONE,        /* counts those that succeeded */
    WRITE_FAILS,       /* writes and growing give this errno, such as ENOSPC or EROFS; 0: they work */
    KILL_BEFORE_SYNC,  /* dies at the Nth sync from now, before it; 0: never */
    KILL_AT_LOG_WRITE, /* dies in the middle of the Nth write to the -wal */
    CLOCK_SECONDS,     /* added to the wall clock, signed */
    KILL_AFTER_SYNC,   /* dies at the Nth sync from now, after it */
    KILL_AT_MAIN_WRITE,/* dies in the middle of the Nth write to the .db: a checkpoint */
    KEEP_DURABLE,      /* keeps beside each file NAME.durable: what is left of it when the power fails */
    STEADY_SECONDS,    /* added to the monotonic clock */
    PASSED_SECONDS,    /* added to both clocks */
    WORDS = 16
};

static volatile int64_t none[WORDS];
static volatile int64_t *words = none;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off64_t);
static int (*real_fallocate)(int, off64_t, off64_t);
static int (*real_unlink)(const char *);
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static long (*real_syscall)(long, ...);

__attribute__((constructor)) static void begin(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_fallocate = dlsym(RTLD_NEXT, "posix_fallocate64");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("COUNTERSIGN_DISK");
    if (!path) return;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *map = mmap(NULL, WORDS * sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map != MAP_FAILED) words = map;
}

enum kind { OTHER, MAIN, LOG };

static enum kind kind_of(int fd, char path[4096]) {
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, 4000);
    if (length < 8) return OTHER;
    path[length] = 0;
    const char *end = path + length;
    if (!strcmp(end - 3, ".db")) return MAIN;
    return !strcmp(end - 4, "-wal") || !strcmp(end - 8, "-journal") ? LOG : OTHER;
}

static void die(void) { syscall(SYS_kill, getpid(), SIGKILL); }

/* Whether the Nth one of something is due now. */
static int is_due(enum word word) {
    return words[word] > 0 && __sync_sub_and_fetch(&words[word], 1) == 0;
}

/* What was written since the last sync, in the order of writing. */
struct range { dev_t dev; ino_t ino; off64_t at; size_t length; };
static struct range *dirty;
static size_t dirty_count, dirty_room;
static pthread_mutex_t dirty_lock = PTHREAD_MUTEX_INITIALIZER;

static void remember(int fd, off64_t at, size_t length) {
    struct stat64 stat;
    if (fstat64(fd, &stat)) return;
    pthread_mutex_lock(&dirty_lock);
    if (dirty_count == dirty_room) {
        dirty_room = dirty_room ? dirty_room * 2 : 1024;
        dirty = realloc(dirty, dirty_room * sizeof *dirty);
        if (!dirty) abort();
    }
    dirty[dirty_count++] = (struct range){ stat.st_dev, stat.st_ino, at, length };
    pthread_mutex_unlock(&dirty_lock);
}

/* Copies what was written since the last sync to the durable image, or drops it. */
static void settle(int fd, const char *path, int is_synced) {
    struct stat64 stat;
    if (fstat64(fd, &stat)) return;
    char durable[4200], own[32], buffer[65536];
    snprintf(durable, sizeof durable, "%s.durable", path);
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    pthread_mutex_lock(&dirty_lock);
    int to = open(durable, O_RDWR | O_CREAT | O_CLOEXEC, 0600), from = open(own, O_RDONLY | O_CLOEXEC);
    size_t kept = 0;
    for (size_t i = 0; i < dirty_count; i++) {
        struct range range = dirty[i];
        if (range.dev != stat.st_dev || range.ino != stat.st_ino) {
            dirty[kept++] = range;
            continue;
        }
        while (is_synced && range.length) {
            size_t part = range.length < sizeof buffer ? range.length : sizeof buffer;
            ssize_t got = pread64(from, buffer, part, range.at);
            if (got <= 0 || real_pwrite(to, buffer, got, range.at) != got) break;
            range.at += got;
            range.length -= got;
        }
    }
    dirty_count = kept;
    close(from);
    close(to);
    pthread_mutex_unlock(&dirty_lock);
}

static int synced(int fd, int (*real)(int)) {
    char path[4096];
    if (kind_of(fd, path) == OTHER) return real(fd);
    if (words[SYNC_DELAY_US] > 0) usleep(words[SYNC_DELAY_US]);
    if (is_due(KILL_BEFORE_SYNC)) die();
    int is_failing = words[SYNC_FAILS] != 0, result = is_failing ? -1 : real(fd);
    if (words[KEEP_DURABLE]) settle(fd, path, result == 0);
    if (result == 0) __sync_add_and_fetch(&words[SYNCS_DONE], 1);
    if (is_due(KILL_AFTER_SYNC)) die();
    if (is_failing) errno = EIO;
    return result;
}

int fsync(int fd) { return synced(fd, real_fsync); }
int fdatasync(int fd) { return synced(fd, real_fdatasync); }

static int is_watching(void) {
    return words[WRITE_FAILS] || words[KILL_AT_LOG_WRITE] || words[KILL_AT_MAIN_WRITE] || words[KEEP_DURABLE];
}

/* at < 0: where the file stands. */
static ssize_t written(int fd, const void *data, size_t length, off64_t at) {
    char path[4096];
    enum kind kind = is_watching() ? kind_of(fd, path) : OTHER;
    if (kind != OTHER) {
        if (words[WRITE_FAILS]) {
            errno = words[WRITE_FAILS];
            return -1;
        }
        if (is_due(kind == LOG ? KILL_AT_LOG_WRITE : KILL_AT_MAIN_WRITE)) {
            length /= 2;
            if (at < 0) real_write(fd, data, length);
            else real_pwrite(fd, data, length, at);
            die();
        }
        if (words[KEEP_DURABLE]) remember(fd, at < 0 ? lseek64(fd, 0, SEEK_CUR) : at, length);
    }
    return at < 0 ? real_write(fd, data, length) : real_pwrite(fd, data, length, at);
}

ssize_t write(int fd, const void *data, size_t length) {
    if (!real_write) return syscall(SYS_write, fd, data, length);
    return written(fd, data, length, -1);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return written(fd, data, length, at); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) { return written(fd, data, length, at); }

static int resized(int fd, off64_t size) {
    char path[4096];
    if (is_watching() && kind_of(fd, path) != OTHER) {
        struct stat64 stat;
        if (words[WRITE_FAILS] && !fstat64(fd, &stat) && size > stat.st_size) {
            errno = words[WRITE_FAILS];
            return -1;
        }
        if (words[KEEP_DURABLE]) {
            strcat(path, ".durable");
            if (truncate64(path, size) && errno != ENOENT) return -1;
        }
    }
    return real_ftruncate(fd, size);
}

int ftruncate(int fd, off_t size) { return resized(fd, size); }
int ftruncate64(int fd, off64_t size) { return resized(fd, size); }

static int grown(int fd, off64_t at, off64_t length) {
    char path[4096];
    if (words[WRITE_FAILS] && kind_of(fd, path) != OTHER) return words[WRITE_FAILS];
    return real_fallocate(fd, at, length);
}

int posix_fallocate(int fd, off_t at, off_t length) { return grown(fd, at, length); }
int posix_fallocate64(int fd, off64_t at, off64_t length) { return grown(fd, at, length); }

int unlink(const char *path) {
    if (words[KEEP_DURABLE] && strlen(path) < 4096) {
        char durable[4200];
        snprintf(durable, sizeof durable, "%s.durable", path);
        real_unlink(durable);
    }
    return real_unlink(path);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (!real_clock_gettime) return syscall(SYS_clock_gettime, clock, time);
    int result = real_clock_gettime(clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        time->tv_sec += words[CLOCK_SECONDS] + words[PASSED_SECONDS];
    if (result == 0 && clock == CLOCK_MONOTONIC) time->tv_sec += words[STEADY_SECONDS] + words[PASSED_SECONDS];
    return result;
}

/* Rust's threads wait by this until a time of the monotonic clock, which the kernel does not know to be ahead. */
long syscall(long number, ...) {
    va_list list;
    long given[6];
    va_start(list, number);
    for (int i = 0; i < 6; i++) given[i] = va_arg(list, long);
    va_end(list);
    struct timespec until;
    if (number == SYS_futex && (given[1] & ~FUTEX_PRIVATE_FLAG) == FUTEX_WAIT_BITSET && given[3]) {
        until = *(struct timespec *)given[3];
        until.tv_sec -= words[STEADY_SECONDS] + words[PASSED_SECONDS];
        given[3] = (long)&until;
    }
    if (!real_syscall) real_syscall = dlsym(RTLD_NEXT, "syscall");
    return real_syscall(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}
