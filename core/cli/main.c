/* The knack program. */
#include <knack/knack.h>

int main(int argc, char **argv)
{
    return knack_main(argc, argv);
}
