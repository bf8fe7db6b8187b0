/* Who is told how the steps before the trials go on, and may end them. */
#ifndef COMPARE_PREFLIGHT_WATCHER_H
#define COMPARE_PREFLIGHT_WATCHER_H

#include <stdbool.h>
#include <stdint.h>

struct watcher {
    void *user;
    bool (*interrupted)(void *user);
    void (*progress)(void *user, int64_t done, int64_t planned);
};

#endif
