/* Makes the disk refuse on command: loaded in front of the C library by the fault tests.
 * The file named by FAULT_FILE says what fails now: "sync", "full", "readonly" or "" for nothing. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_fault(const char *wanted) {
    const char *path = getenv("FAULT_FILE");
    char found[16] = {0};
    int saved = errno;
    int descriptor = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (descriptor >= 0) {
        if (read(descriptor, found, sizeof found - 1) < 0) found[0] = 0;
        close(descriptor);
    }
    errno = saved;
    return strcmp(found, wanted) == 0;
}

int fsync(int descriptor) {
    if (is_fault("sync")) { errno = EIO; return -1; }
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(descriptor);
}

int fdatasync(int descriptor) {
    if (is_fault("sync")) { errno = EIO; return -1; }
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(descriptor);
}

static int refused(void) {
    if (is_fault("full")) { errno = ENOSPC; return 1; }
    if (is_fault("readonly")) { errno = EROFS; return 1; }
    return 0;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    if (refused()) return -1;
    return ((ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite"))(
        descriptor, bytes, count, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
    if (refused()) return -1;
    return ((ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64"))(
        descriptor, bytes, count, offset);
}
