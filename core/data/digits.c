/* Puts the files of digits/ into the library as they are: the build says where that folder is, the assembler reads them. */
#include "data/digits.h"

#define EMBED(symbol, file)                                                                                                                \
    __asm__(".pushsection .rodata\n"                                                                                                       \
            ".globl " symbol "\n.hidden " symbol "\n"                                                                                      \
            ".globl " symbol "_end\n.hidden " symbol "_end\n" symbol ":\n"                                                                 \
            ".incbin \"" DIGITS_FOLDER "/" file "\"\n" symbol "_end:\n"                                                                    \
            ".popsection\n")

EMBED("digits_images", "images.idx.gz");
EMBED("digits_labels", "labels.idx.gz");
