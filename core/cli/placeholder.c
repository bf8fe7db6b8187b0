#include <knack/knack.h>
int knack_main(int argc, char **argv) { (void)argc; (void)argv; return 0; }
