/* SPDX-License-Identifier: MIT */
/* Counts lines, words and bytes of files and of all files in folders, as wc does, and tells the most frequent names; by a
 * pool of as many processes as there are CPUs, with a progress bar.
 *
 *     wordcount [-j PROCESSES] FILE-OR-FOLDER... */
#include <mproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define FILES_AT_ONCE 32 /* for one task */
#define READ_SIZE 262144
#define NAME_MAX_LENGTH 63
#define SHOWN 10

static void die(const char *what) {
    fprintf(stderr, "wordcount: %s\n", what);
    exit(EXIT_FAILURE);
}

static void *allocate(void *block, size_t size) {
    void *resized = realloc(block, size);
    if (resized == NULL) {
        die("no memory");
    }
    return resized;
}

/* How often each name occurs: a hash table ----------------------------------------------------------------------- */

struct name {
    char text[NAME_MAX_LENGTH + 1];
    uint64_t count;
};

struct names {
    struct name *slots; /* a count of 0: free */
    size_t capacity, used;
};

static struct name *find_slot(const struct names *names, const char *text) {
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (const char *place = text; *place != '\0'; place++) {
        hash = (hash ^ (unsigned char)*place) * 1099511628211u;
    }
    size_t index = (size_t)hash & (names->capacity - 1);
    while (names->slots[index].count > 0 && strcmp(names->slots[index].text, text) != 0) {
        index = (index + 1) & (names->capacity - 1);
    }
    return &names->slots[index];
}

static void grow(struct names *names) {
    struct names larger = {NULL, names->capacity > 0 ? names->capacity * 2 : 1024, names->used};
    larger.slots = allocate(NULL, larger.capacity * sizeof *larger.slots);
    memset(larger.slots, 0, larger.capacity * sizeof *larger.slots);
    for (size_t i = 0; i < names->capacity; i++) {
        if (names->slots[i].count > 0) {
            *find_slot(&larger, names->slots[i].text) = names->slots[i];
        }
    }
    free(names->slots);
    *names = larger;
}

static void add_name(struct names *names, const char *text, uint64_t count) {
    if (names->used * 2 >= names->capacity) {
        grow(names);
    }
    struct name *slot = find_slot(names, text);
    if (slot->count == 0) {
        snprintf(slot->text, sizeof slot->text, "%s", text);
        names->used++;
    }
    slot->count += count;
}

/* Counting one file: in the children ------------------------------------------------------------------------------ */

struct counts {
    uint64_t files, lines, words, bytes;
};

/* Where the counter is inside a file: words and names may go on in the next piece that is read. */
struct counter {
    struct counts counts;
    struct names *names;
    int in_word;
    size_t name_length; /* 0: not in a name; over the maximum: it is too long to be kept */
    char name[NAME_MAX_LENGTH + 1];
};

static int is_space(unsigned char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int is_letter(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void end_name(struct counter *counter) {
    if (counter->name_length > 0 && counter->name_length <= NAME_MAX_LENGTH) {
        counter->name[counter->name_length] = '\0';
        add_name(counter->names, counter->name, 1);
    }
    counter->name_length = 0;
}

static void count_byte(struct counter *counter, unsigned char c) {
    if (c == '\n') {
        counter->counts.lines++;
    }
    if (is_space(c)) {
        counter->in_word = 0;
    } else if (!counter->in_word && (c > ' ' && c != 0x7F)) {
        counter->in_word = 1;
        counter->counts.words++;
    }
    if (is_letter(c) || (counter->name_length > 0 && c >= '0' && c <= '9')) {
        if (counter->name_length < NAME_MAX_LENGTH) {
            counter->name[counter->name_length] = (char)c;
        }
        counter->name_length++;
    } else if (counter->name_length > 0) {
        end_name(counter);
    }
}

/* libuv opens files by their UTF-8 names on Windows too. Returns 0 or libuv's error. */
static int count_file(const char *path, struct names *names, struct counts *counts) {
    static unsigned char data[READ_SIZE];
    struct counter counter = {{1, 0, 0, 0}, names, 0, 0, ""};
    uv_fs_t request;
    int file = uv_fs_open(NULL, &request, path, UV_FS_O_RDONLY, 0, NULL);
    uv_fs_req_cleanup(&request);
    if (file < 0) {
        return file;
    }
    int size;
    do {
        uv_buf_t buffer = uv_buf_init((char *)data, sizeof data);
        size = uv_fs_read(NULL, &request, file, &buffer, 1, -1, NULL);
        uv_fs_req_cleanup(&request);
        for (int i = 0; i < size; i++) {
            count_byte(&counter, data[i]);
        }
        counter.counts.bytes += size > 0 ? (uint64_t)size : 0;
    } while (size > 0);
    end_name(&counter);
    uv_fs_close(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
    *counts = counter.counts;
    return size;
}

/* {"name": how often, ...} */
static cJSON *names_to_value(const struct names *names) {
    cJSON *value = cJSON_CreateObject();
    for (size_t i = 0; i < names->capacity; i++) {
        if (names->slots[i].count > 0) {
            cJSON_AddNumberToObject(value, names->slots[i].text, (double)names->slots[i].count);
        }
    }
    return value;
}

/* The task: its arguments are paths. Returns who counted, for each file [lines, words, bytes] or why it could not be read,
 * and the names in all of them. */
static void count_files(mproc_task *task) {
    struct names names = {NULL, 0, 0};
    cJSON *results = cJSON_CreateArray();
    const cJSON *path;
    cJSON_ArrayForEach(path, mproc_task_args(task)) {
        struct counts counts;
        int error = count_file(path->valuestring, &names, &counts);
        cJSON_AddItemToArray(results, error != 0 ? cJSON_CreateString(uv_strerror(error))
                                                 : mproc_pack("[I,I,I]", (int64_t)counts.lines, (int64_t)counts.words,
                                                              (int64_t)counts.bytes));
    }
    mproc_task_return(task, mproc_pack("[i,o,o]", mproc_getpid(), results, names_to_value(&names)));
    free(names.slots);
}

static const mproc_target targets[] = {MPROC_TARGET(count_files), MPROC_TARGETS_END};

/* The list of files ----------------------------------------------------------------------------------------------- */

struct entry {
    char *path;
    struct counts counts;
};

struct list {
    struct entry *entries;
    size_t count, capacity;
    int failures;
};

static void add_file(struct list *list, const char *path) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity > 0 ? list->capacity * 2 : 1024;
        list->entries = allocate(list->entries, list->capacity * sizeof *list->entries);
    }
    struct entry *entry = &list->entries[list->count++];
    memset(entry, 0, sizeof *entry);
    entry->path = allocate(NULL, strlen(path) + 1);
    strcpy(entry->path, path);
}

static void add_folder(struct list *list, const char *path) {
    uv_fs_t request;
    uv_dirent_t entry;
    if (uv_fs_scandir(NULL, &request, path, 0, NULL) < 0) {
        fprintf(stderr, "wordcount: %s: %s\n", path, uv_strerror((int)request.result));
        list->failures++;
    }
    while (request.result >= 0 && uv_fs_scandir_next(&request, &entry) == 0) {
        size_t size = strlen(path) + strlen(entry.name) + 2;
        char *inner = allocate(NULL, size);
        snprintf(inner, size, "%s/%s", path, entry.name);
        if (entry.type == UV_DIRENT_DIR) {
            add_folder(list, inner);
        } else if (entry.type == UV_DIRENT_FILE) { /* links would count a file twice, or go in circles */
            add_file(list, inner);
        }
        free(inner);
    }
    uv_fs_req_cleanup(&request);
}

static void add_argument(struct list *list, const char *path) {
    uv_fs_t request;
    int error = uv_fs_stat(NULL, &request, path, NULL);
    int is_folder = error == 0 && (request.statbuf.st_mode & 0170000) == 0040000;
    uv_fs_req_cleanup(&request);
    if (error != 0) {
        fprintf(stderr, "wordcount: %s: %s\n", path, uv_strerror(error));
        list->failures++;
    } else if (is_folder) {
        add_folder(list, path);
    } else {
        add_file(list, path);
    }
}

/* Counting all of them: in the parent ----------------------------------------------------------------------------- */

struct worker {
    int pid;
    struct counts counts;
};

struct totals {
    struct worker *workers; /* those that did something */
    int worker_count;
    struct names names;
};

static void add_counts(struct counts *sum, const struct counts *counts) {
    sum->files += counts->files;
    sum->lines += counts->lines;
    sum->words += counts->words;
    sum->bytes += counts->bytes;
}

static struct worker *find_worker(struct totals *totals, int pid) {
    for (int i = 0; i < totals->worker_count; i++) {
        if (totals->workers[i].pid == pid) {
            return &totals->workers[i];
        }
    }
    totals->workers = allocate(totals->workers, (size_t)(totals->worker_count + 1) * sizeof *totals->workers);
    struct worker *worker = &totals->workers[totals->worker_count++];
    memset(worker, 0, sizeof *worker);
    worker->pid = pid;
    return worker;
}

static void note_result(struct list *list, struct worker *worker, struct entry *entry, const cJSON *result) {
    int64_t lines, words, bytes;
    if (cJSON_IsString(result)) {
        fprintf(stderr, "wordcount: %s: %s\n", entry->path, result->valuestring);
        list->failures++;
    } else if (mproc_unpack(result, "[I,I,I]", &lines, &words, &bytes) == 0) {
        entry->counts = (struct counts){1, (uint64_t)lines, (uint64_t)words, (uint64_t)bytes};
        add_counts(&worker->counts, &entry->counts);
    }
}

/* What came back for the files from `entry` on. Returns the entry behind them. */
static struct entry *note_results(struct list *list, struct totals *totals, struct entry *entry, const cJSON *value) {
    int pid;
    const cJSON *results, *names, *item;
    if (mproc_unpack(value, "[i,o,o]", &pid, &results, &names) != 0) {
        die(mproc_last_error()->message);
    }
    cJSON_ArrayForEach(item, results) {
        note_result(list, find_worker(totals, pid), entry++, item);
    }
    cJSON_ArrayForEach(item, names) {
        add_name(&totals->names, item->string, (uint64_t)item->valuedouble);
    }
    return entry;
}

/* [[path, ...], ...]: the arguments of each task. */
static cJSON *list_tasks(const struct list *list) {
    cJSON *tasks = cJSON_CreateArray(), *paths = NULL;
    for (size_t i = 0; i < list->count; i++) {
        if (i % FILES_AT_ONCE == 0) {
            paths = cJSON_CreateArray();
            cJSON_AddItemToArray(tasks, paths);
        }
        cJSON_AddItemToArray(paths, cJSON_CreateString(list->entries[i].path));
    }
    return tasks;
}

static void count_all(struct list *list, int processes, struct totals *totals) {
    mproc_pool *pool = NULL;
    mproc_map_options options = {0};
    cJSON *values = NULL;
    const cJSON *value;
    struct entry *entry = list->entries;
    options.chunksize = 1;
    options.progress = "counting";
    if (mproc_pool_create(&pool, processes, NULL) != 0 ||
        mproc_pool_starmap(pool, count_files, list_tasks(list), &options, &values) != 0) {
        die(mproc_last_error()->message);
    }
    cJSON_ArrayForEach(value, values) {
        entry = note_results(list, totals, entry, value);
    }
    cJSON_Delete(values);
    mproc_pool_destroy(pool);
}

/* Printing -------------------------------------------------------------------------------------------------------- */

static void print_counts(const char *title, const struct counts *counts) {
    printf("%10llu %12llu %12llu %14llu  %s\n", (unsigned long long)counts->files, (unsigned long long)counts->lines,
           (unsigned long long)counts->words, (unsigned long long)counts->bytes, title);
}

static int by_bytes(const void *a, const void *b) {
    uint64_t left = ((const struct entry *)a)->counts.bytes, right = ((const struct entry *)b)->counts.bytes;
    return left < right   ? 1
           : left > right ? -1
                          : strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static int by_count(const void *a, const void *b) {
    const struct name *left = a, *right = b;
    return left->count < right->count ? 1 : left->count > right->count ? -1 : strcmp(left->text, right->text);
}

static void print_files(struct list *list) {
    qsort(list->entries, list->count, sizeof *list->entries, by_bytes);
    for (size_t i = 0; i < list->count && i < SHOWN; i++) {
        print_counts(list->entries[i].path, &list->entries[i].counts);
    }
    if (list->count > SHOWN) {
        printf("%53s... and %llu smaller ones\n", "", (unsigned long long)(list->count - SHOWN));
    }
}

static void print_names(struct names *names) {
    qsort(names->slots, names->capacity, sizeof *names->slots, by_count);
    printf("\nmost frequent:");
    for (size_t i = 0; i < names->used && i < SHOWN; i++) {
        printf("%s %s (%llu)", i > 0 ? "," : "", names->slots[i].text, (unsigned long long)names->slots[i].count);
    }
    printf("\n");
}

static void print_workers(const struct totals *totals, struct counts *sum) {
    printf("%10s %12s %12s %14s\n", "files", "lines", "words", "bytes");
    for (int i = 0; i < totals->worker_count; i++) {
        char title[64];
        snprintf(title, sizeof title, "process %d", totals->workers[i].pid);
        print_counts(title, &totals->workers[i].counts);
        add_counts(sum, &totals->workers[i].counts);
    }
    printf("\n");
}

int main(int argc, char **argv) {
    struct list list = {NULL, 0, 0, 0};
    struct totals totals = {NULL, 0, {NULL, 0, 0}};
    struct counts sum = {0, 0, 0, 0};
    int first = 1, count = mproc_cpu_count();
    if (mproc_init(argc, argv, targets) != 0) {
        die(mproc_last_error()->message);
    }
    if (argc > 2 && strcmp(argv[1], "-j") == 0) {
        count = atoi(argv[2]);
        first = 3;
    }
    if (first >= argc || count < 1) {
        die("usage: wordcount [-j PROCESSES] FILE-OR-FOLDER...");
    }
    for (int i = first; i < argc; i++) {
        add_argument(&list, argv[i]);
    }
    double start = mproc_time();
    count_all(&list, count, &totals);
    print_workers(&totals, &sum);
    print_files(&list);
    print_names(&totals.names);
    printf("\n");
    print_counts("total", &sum);
    printf("\n%d processes, %.2f seconds\n", totals.worker_count, mproc_time() - start);
    for (size_t i = 0; i < list.count; i++) {
        free(list.entries[i].path);
    }
    free(list.entries);
    free(totals.names.slots);
    free(totals.workers);
    return list.failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
