/*
 * The wall clock of one process, as its dial says: preloaded into a program, this answers every question about the time of
 * day. All other clocks, the monotonic one above all, are as they are. See WallClocks, which turns the dials.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

/*
 * At `since`, in true nanoseconds since 1970, the clock showed `shown`; from there it runs at `permille` of the true speed. Who
 * reads while it is turned may see a moment that was never meant, which is one jump more.
 */
struct dial {
    int64_t since;
    int64_t shown;
    int64_t permille;
    int64_t looks;
};

static struct dial *dial;

__attribute__((constructor)) static void take_dial(void) {
    const char *file = getenv("WALL_CLOCK_DIAL");
    int fd = file == NULL ? -1 : open(file, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    void *memory = mmap(NULL, sizeof(struct dial), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (memory != MAP_FAILED) {
        dial = memory;
    }
}

static int64_t now(void) {
    struct timespec time;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &time);
    int64_t truth = time.tv_sec * SECOND + time.tv_nsec;
    if (dial == NULL) {
        return truth;
    }
    __atomic_fetch_add(&dial->looks, 1, __ATOMIC_RELAXED);
    int64_t passed = truth - __atomic_load_n(&dial->since, __ATOMIC_RELAXED);
    int64_t permille = __atomic_load_n(&dial->permille, __ATOMIC_RELAXED);
    return __atomic_load_n(&dial->shown, __ATOMIC_RELAXED) + (int64_t)((__int128)passed * permille / 1000);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) {
        return (int)syscall(SYS_clock_gettime, clock, time);
    }
    int64_t shown = now();
    time->tv_sec = shown / SECOND;
    time->tv_nsec = shown % SECOND;
    return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    int64_t shown = now();
    time->tv_sec = shown / SECOND;
    time->tv_usec = shown % SECOND / 1000;
    return 0;
}

time_t time(time_t *time) {
    time_t shown = now() / SECOND;
    if (time != NULL) {
        *time = shown;
    }
    return shown;
}
