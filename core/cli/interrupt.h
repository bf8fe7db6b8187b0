/* Ctrl-C, and SIGTERM: the first asks the run to stop after its step, the second ends the program at once. */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdbool.h>

void interrupt_watch(void); /* from now on; a signal that was ignored stays so */
bool interrupt_asked(void);
void interrupt_unwatch(void); /* as it was before */

#endif
