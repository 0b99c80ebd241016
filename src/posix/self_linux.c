/* SPDX-License-Identifier: MIT */
/* What only Linux has: a name in process lists that can be set, and control groups. */
#include "platform/self.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#define PATH_CAPACITY 4096

void self_set_name(const char *name) {
    (void)prctl(PR_SET_NAME, name, 0, 0, 0); /* cut at 15 bytes; cannot fail for a readable name */
}

/* The path of this process's group: of the hierarchy with the "cpu" controller in version 1, the only one in version 2.
 * Lines of /proc/self/cgroup read "4:cpu,cpuacct:/path" and "0::/path". */
static bool read_group(const char *controller, char *path, size_t size) {
    char line[PATH_CAPACITY];
    bool found = false;
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (file == NULL) {
        return false;
    }
    while (!found && fgets(line, sizeof line, file) != NULL) {
        char *controllers = strchr(line, ':');
        char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (group == NULL) {
            continue;
        }
        *group++ = '\0';
        group[strcspn(group, "\n")] = '\0';
        controllers++;
        const char *place = strstr(controllers, controller);
        size_t length = strlen(controller);
        found = length == 0 ? controllers[0] == '\0'
                            : place != NULL && (place == controllers || place[-1] == ',') &&
                                  (place[length] == ',' || place[length] == '\0');
        if (found) {
            (void)snprintf(path, size, "%s", group);
        }
    }
    (void)fclose(file);
    return found;
}

static bool read_numbers(const char *path, const char *format, double *first, double *second) {
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    int wanted = second != NULL ? 2 : 1;
    int count = second != NULL ? fscanf(file, format, first, second) : fscanf(file, format, first);
    (void)fclose(file);
    return count == wanted;
}

/* CPUs by the limit of one group; 0: none. */
static double quota_of(const char *root, const char *group, bool version2) {
    char path[PATH_CAPACITY + 64];
    double quota = 0, period = 0;
    if (version2) {
        (void)snprintf(path, sizeof path, "%s%s/cpu.max", root, group);
        if (!read_numbers(path, "%lf %lf", &quota, &period)) { /* "max 100000" is no number */
            return 0;
        }
    } else {
        (void)snprintf(path, sizeof path, "%s%s/cpu.cfs_quota_us", root, group);
        if (!read_numbers(path, "%lf", &quota, NULL)) {
            return 0;
        }
        (void)snprintf(path, sizeof path, "%s%s/cpu.cfs_period_us", root, group);
        if (!read_numbers(path, "%lf", &period, NULL)) {
            return 0;
        }
    }
    return quota > 0 && period > 0 ? quota / period : 0;
}

/* The tightest limit from the process's group up to the root. A container that shows only its own part of the tree has
 * its limit at the root. */
static double tightest_quota(const char *root, char *group, bool version2) {
    double tightest = 0;
    for (;;) {
        double quota = quota_of(root, strcmp(group, "/") == 0 ? "" : group, version2);
        if (quota > 0 && (tightest == 0 || quota < tightest)) {
            tightest = quota;
        }
        char *slash = strrchr(group, '/');
        if (slash == NULL) {
            return tightest;
        }
        *slash = '\0';
    }
}

int self_cpu_quota(void) {
    char group[PATH_CAPACITY];
    double quota = 0;
    if (read_group("", group, sizeof group)) {
        quota = tightest_quota("/sys/fs/cgroup", group, true);
    }
    if (quota == 0 && read_group("cpu", group, sizeof group)) {
        quota = tightest_quota("/sys/fs/cgroup/cpu", group, false);
    }
    int whole = (int)quota;
    return quota > whole ? whole + 1 : whole;
}
