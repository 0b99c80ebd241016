/* SPDX-License-Identifier: MIT */
/* Feeds a program and shows what it writes. Python:
 *
 *     print('$ nslookup')
 *     p = subprocess.Popen(['nslookup'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
 *     output, err = p.communicate(b'set q=mx\nPython.org\nexit\n')
 *     print(output.decode('utf-8'))
 *     print('Exit code:', p.returncode)
 *
 * Arguments name another program. */
#include <mproc.h>
#include <string.h>

#include "print.h"

int main(int argc, char **argv) {
    static const mproc_target targets[] = {MPROC_TARGETS_END};
    static const char input[] = "set q=mx\nPython.org\nexit\n";
    const char *const nslookup[] = {"nslookup", NULL};
    mproc_popen_options options = {0};
    mproc_popen *process = NULL;
    mproc_completed completed = {0};
    options.argv = argc > 1 ? (const char *const *)(argv + 1) : nslookup;
    options.in.kind = options.out.kind = options.err.kind = MPROC_PIPE;
    print("$ %s", argc > 1 ? "program" : "nslookup");
    if (mproc_init(argc, argv, targets) != 0 || mproc_popen_create(&process, &options) != 0 ||
        mproc_popen_communicate(process, input, strlen(input), &completed, MPROC_FOREVER) != 0) {
        print("%s", mproc_last_error()->message);
        return 1;
    }
    print("%s", completed.out);
    print("Exit code: %d", completed.returncode);
    mproc_completed_clear(&completed);
    mproc_popen_destroy(process);
    return 0;
}
