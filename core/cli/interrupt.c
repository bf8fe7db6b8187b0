#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

static const int watched[] = {SIGINT, SIGTERM};
enum { WATCHED = sizeof watched / sizeof *watched };

static volatile sig_atomic_t asked;
static struct sigaction before[WATCHED];

static void ask(int signal_number)
{
    (void)signal_number;
    asked = 1;
}

void interrupt_watch(void)
{
    /* RESETHAND: the second one finds the default action. RESTART: no write of a checkpoint is cut short. */
    struct sigaction action = {.sa_handler = ask, .sa_flags = SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    asked = 0;
    for (int i = 0; i < WATCHED; i++) {
        sigaction(watched[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) sigaction(watched[i], &action, NULL);
    }
}

bool interrupt_asked(void)
{
    return asked != 0;
}

void interrupt_unwatch(void)
{
    for (int i = 0; i < WATCHED; i++) sigaction(watched[i], &before[i], NULL);
}
