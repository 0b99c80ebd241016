/* SPDX-License-Identifier: MIT */
/* A program that knows nothing of mproc_init. */
int main(void) {
    return 3;
}
