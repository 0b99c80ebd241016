/* SPDX-License-Identifier: MIT */
/* Runs a program on this one's own streams, and tells how it ended. Python:
 *
 *     print('$ nslookup www.Python.org')
 *     r = subprocess.call(['nslookup', 'www.Python.org'])
 *     print('Exit code:', r)
 *
 * Arguments name another program. */
#include <mproc.h>

#include "print.h"

int main(int argc, char **argv) {
    static const mproc_target targets[] = {MPROC_TARGETS_END};
    const char *const nslookup[] = {"nslookup", "www.Python.org", NULL};
    const char *const *command = argc > 1 ? (const char *const *)(argv + 1) : nslookup;
    int returncode;
    if (mproc_init(argc, argv, targets) != 0) {
        print("%s", mproc_last_error()->message);
        return 1;
    }
    print("$ %s %s", argc > 1 ? "program" : command[0], argc > 1 ? "arguments" : command[1]);
    if (mproc_call(command, &returncode) != 0) {
        print("%s", mproc_last_error()->message);
        return 1;
    }
    print("Exit code: %d", returncode);
    return 0;
}
