/* SPDX-License-Identifier: MIT */
/* The environment of a process that is to be started: "NAME=value" in UTF-8. */
#ifndef MPROC_SPAWN_ENVIRONMENT_H
#define MPROC_SPAWN_ENVIRONMENT_H

/* This process's own, with these set anew or added. MPROC_ENOMEM; MPROC_ESYSTEM. */
int environment_create(char ***environment, const char *const *added);
/* The value of one of this process's own, to be freed with memory_free; NULL: it is not set, or there is no memory. */
char *environment_value(const char *name);
/* NULL is fine. */
void environment_free(char **environment);

#endif
