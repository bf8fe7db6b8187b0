/* The identity of a run or trial: all that decides what it comes to, but its seed. Where it is equal, the same seed gives the same bits. */
#ifndef TRAIN_IDENTITY_H
#define TRAIN_IDENTITY_H

#include "train/run.h"

/* JSON text on one line, memory_free(). Of an open run that was not trained yet:
 *   plugins   list of {name, code, manifest} of the installed ones, in order: hashes of what is executed, and of the manifest without what
 *             only describes
 *   knack     of this library's code; model: {name, code} of a program's own model, which counts as knack itself
 *   config    of the resolved config without seed, threads, folder and paths: a project that was moved or renamed has the same
 *   init      of the file of initial weights, if there is one
 *   data      {train, validation, test} of the parts as they are used, inputs and targets; or, where the run's seed redraws them, {pool} of
 *             all that is drawn from
 *   threads   if asked for: no bit depends on them, but times do
 *   real      "float" or "double"
 *   machine   {cpu, onednn}: the vector level in use and the library's version
 * Hashes are 16 hexadecimal digits. Reads all data. Errors: what cannot be read, and memory; *text is then NULL. */
knack_status run_identity_text(const struct run *, bool threads, char **text);

/* What differs between two identities. */
enum identity_change {
    IDENTITY_SAME = 0,
    IDENTITY_DATA = 1,
    IDENTITY_PLUGINS = 2,
    IDENTITY_CONFIG = 4,
    IDENTITY_KNACK = 8,    /* its code, its real type, or the code of a program's own model */
    IDENTITY_THREADS = 16, /* all above are content */
    IDENTITY_MACHINE = 32,
    IDENTITY_CONTENT = IDENTITY_MACHINE - 1
};
/* In words, as "plugin ema: its code; the training data; oneDNN 2.6.3 -> oneDNN 3.1", memory_free(); "" if they are equal. *change gets the
 * bits of enum identity_change. Errors: memory, or a text that is no identity (KNACK_E_DATA); *words is then NULL. */
knack_status identity_difference(const char *kept, const char *now, unsigned *change, char **words);

#endif
