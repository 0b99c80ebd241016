/* SPDX-License-Identifier: MIT */
/* Counts lines, words and bytes of files and of all files in folders, as wc does, and tells the most frequent names; by as
 * many processes as there are CPUs.
 *
 *     wordcount [-j PROCESSES] FILE-OR-FOLDER...
 *
 * Each process gets its files over a pipe, a few at a time so that all are busy until the end, and sends its counts back
 * over it. A thread for each process hands out and collects. */
#include <mproc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define FILES_AT_ONCE 16
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
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
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

/* Sends all names with their counts as raw bytes, at the end. */
static int send_names(mproc_connection *connection, const struct names *names) {
    size_t used = 0;
    struct name *list = allocate(NULL, (names->used + 1) * sizeof *list);
    for (size_t i = 0; i < names->capacity; i++) {
        if (names->slots[i].count > 0) {
            list[used++] = names->slots[i];
        }
    }
    int status = mproc_connection_send_bytes(connection, list, used * sizeof *list);
    free(list);
    return status;
}

/* Gets arrays of paths, sends arrays of [lines, words, bytes] or of messages; null ends it. */
static void count_files(mproc_task *task) {
    struct names names = {NULL, 0, 0};
    cJSON *paths, *path;
    mproc_connection *connection = mproc_task_connection(task, 0);
    while (connection != NULL && mproc_connection_recv(connection, &paths, MPROC_FOREVER) == 0 &&
           cJSON_IsArray(paths)) {
        cJSON *results = cJSON_CreateArray();
        cJSON_ArrayForEach(path, paths) {
            struct counts counts;
            int error = count_file(path->valuestring, &names, &counts);
            cJSON_AddItemToArray(results, error != 0 ? cJSON_CreateString(uv_strerror(error))
                                                     : mproc_pack("[I,I,I]", (int64_t)counts.lines,
                                                                  (int64_t)counts.words, (int64_t)counts.bytes));
        }
        cJSON_Delete(paths);
        paths = NULL;
        if (mproc_connection_send(connection, results) != 0) {
            break;
        }
    }
    cJSON_Delete(paths);
    if (connection != NULL && send_names(connection, &names) != 0) {
        mproc_task_fail(task, "%s", mproc_last_error()->message);
    }
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
    size_t next; /* not handed out yet */
    int failures;
    uv_mutex_t mutex; /* of next, failures, and the names of all */
    struct names names;
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

/* Handing out and collecting: one thread for each process --------------------------------------------------------- */

struct worker {
    struct list *list;
    mproc_process *process;
    mproc_connection *connection;
    int pid;
    struct counts counts;
    uv_thread_t thread;
};

/* The next few files for a worker. */
static size_t take_files(struct list *list, size_t *first) {
    uv_mutex_lock(&list->mutex);
    size_t left = list->count - list->next;
    size_t taken = left < FILES_AT_ONCE ? left : FILES_AT_ONCE;
    *first = list->next;
    list->next += taken;
    uv_mutex_unlock(&list->mutex);
    return taken;
}

static void note_failure(struct list *list, const char *what, const char *why) {
    uv_mutex_lock(&list->mutex);
    fprintf(stderr, "wordcount: %s: %s\n", what, why);
    list->failures++;
    uv_mutex_unlock(&list->mutex);
}

static void note_result(struct worker *worker, struct entry *entry, const cJSON *result) {
    int64_t lines, words, bytes;
    if (cJSON_IsString(result)) {
        note_failure(worker->list, entry->path, result->valuestring);
    } else if (mproc_unpack(result, "[I,I,I]", &lines, &words, &bytes) == 0) {
        entry->counts = (struct counts){1, (uint64_t)lines, (uint64_t)words, (uint64_t)bytes};
        worker->counts.files++;
        worker->counts.lines += entry->counts.lines;
        worker->counts.words += entry->counts.words;
        worker->counts.bytes += entry->counts.bytes;
    }
}

/* Returns 0 when all went well. */
static int exchange(struct worker *worker, size_t first, size_t count) {
    cJSON *results;
    cJSON *paths = cJSON_CreateArray();
    for (size_t i = 0; i < count; i++) {
        cJSON_AddItemToArray(paths, cJSON_CreateString(worker->list->entries[first + i].path));
    }
    int status = mproc_connection_send(worker->connection, paths);
    if (status == 0) {
        status = mproc_connection_recv(worker->connection, &results, MPROC_FOREVER);
    }
    if (status == 0) {
        for (size_t i = 0; i < count; i++) {
            note_result(worker, &worker->list->entries[first + i], cJSON_GetArrayItem(results, (int)i));
        }
        cJSON_Delete(results);
    }
    return status;
}

static int collect_names(struct worker *worker) {
    void *data;
    size_t size;
    int status = mproc_connection_send(worker->connection, cJSON_CreateNull());
    if (status == 0) {
        status = mproc_connection_recv_bytes(worker->connection, &data, &size, MPROC_FOREVER);
    }
    if (status == 0) {
        const struct name *list = data;
        uv_mutex_lock(&worker->list->mutex);
        for (size_t i = 0; i < size / sizeof *list; i++) {
            add_name(&worker->list->names, list[i].text, list[i].count);
        }
        uv_mutex_unlock(&worker->list->mutex);
        mproc_free(data);
    }
    return status;
}

static void run_worker(void *argument) {
    struct worker *worker = argument;
    size_t first, count;
    int status = 0;
    while (status == 0 && (count = take_files(worker->list, &first)) > 0) {
        status = exchange(worker, first, count);
    }
    if (status == 0) {
        status = collect_names(worker);
    }
    if (status != 0) {
        note_failure(worker->list, mproc_process_name(worker->process), mproc_last_error()->message);
    }
}

static void start_worker(struct worker *worker, struct list *list) {
    mproc_connection *theirs;
    worker->list = list;
    if (mproc_pipe(&worker->connection, &theirs, true) != 0 ||
        mproc_spawn(&worker->process, count_files, mproc_pack("[o]", mproc_connection_ref(theirs))) != 0) {
        die(mproc_last_error()->message);
    }
    mproc_connection_close(theirs);
    worker->pid = mproc_process_pid(worker->process);
    if (uv_thread_create(&worker->thread, run_worker, worker) != 0) {
        die("cannot start a thread");
    }
}

static void end_worker(struct worker *worker) {
    uv_thread_join(&worker->thread);
    mproc_connection_close(worker->connection);
    mproc_process_join(worker->process, MPROC_FOREVER);
    mproc_process_destroy(worker->process);
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

int main(int argc, char **argv) {
    static struct list list;
    struct counts total = {0, 0, 0, 0};
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
    if (uv_mutex_init(&list.mutex) != 0) {
        die("cannot make a lock");
    }
    for (int i = first; i < argc; i++) {
        add_argument(&list, argv[i]);
    }
    double start = mproc_time();
    struct worker *workers = allocate(NULL, (size_t)count * sizeof *workers);
    memset(workers, 0, (size_t)count * sizeof *workers);
    for (int i = 0; i < count; i++) {
        start_worker(&workers[i], &list);
    }
    printf("%10s %12s %12s %14s\n", "files", "lines", "words", "bytes");
    for (int i = 0; i < count; i++) {
        char title[64];
        end_worker(&workers[i]);
        snprintf(title, sizeof title, "process %d", workers[i].pid);
        print_counts(title, &workers[i].counts);
        total.files += workers[i].counts.files;
        total.lines += workers[i].counts.lines;
        total.words += workers[i].counts.words;
        total.bytes += workers[i].counts.bytes;
    }
    printf("\n");
    print_files(&list);
    print_names(&list.names);
    printf("\n");
    print_counts("total", &total);
    printf("\n%d processes, %.2f seconds\n", count, mproc_time() - start);
    for (size_t i = 0; i < list.count; i++) {
        free(list.entries[i].path);
    }
    free(list.entries);
    free(list.names.slots);
    free(workers);
    uv_mutex_destroy(&list.mutex);
    return list.failures > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
