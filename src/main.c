/*
 * Finds the command, runs it, prints its error, chooses the exit status.
 */
#include <stdio.h>

int main(void)
{
    (void)puts("lockflight");
    return 0;
}
