/* SPDX-License-Identifier: MIT */
#include "value/value.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/text.h"
#include "value/reference.h"

#define SHOWN_TEXT_MAX 40

static bool owns_children(const cJSON *item) {
    return item->child != NULL && (item->type & cJSON_IsReference) == 0;
}

void value_delete(cJSON *value) {
    cJSON *item = value;
    cJSON *last = value;
    while (last != NULL && last->next != NULL) {
        last = last->next;
    }
    while (item != NULL) {
        reference_drop(item);
        if (owns_children(item)) { /* the children join the end of the row */
            last->next = item->child;
            while (last->next != NULL) {
                last = last->next;
            }
            item->child = NULL;
        }
        cJSON *next = item->next;
        item->next = NULL;
        cJSON_Delete(item);
        item = next;
    }
}

static const char *describe_text(const char *shown, char *text, size_t size) {
    size_t length = text_cut(shown, SHOWN_TEXT_MAX);
    (void)snprintf(text, size, "the string \"%.*s\"%s", (int)length, shown, shown[length] != '\0' ? "..." : "");
    return text;
}

const char *value_describe(const cJSON *value, char *text, size_t size) {
    if (cJSON_IsString(value) && value->valuestring != NULL) {
        return describe_text(value->valuestring, text, size);
    }
    if (cJSON_IsNumber(value)) {
        (void)snprintf(text, size, "the number %.17g", value->valuedouble);
        double shorter;
        char short_text[32]; /* 0.1 rather than 0.10000000000000001 */
        (void)snprintf(short_text, sizeof short_text, "%.15g", value->valuedouble);
        if (sscanf(short_text, "%lf", &shorter) == 1 && fabs(shorter - value->valuedouble) <= 0) {
            (void)snprintf(text, size, "the number %s", short_text);
        }
        return text;
    }
    (void)snprintf(text, size, "%s",
                   value == NULL           ? "missing"
                   : cJSON_IsTrue(value)   ? "true"
                   : cJSON_IsFalse(value)  ? "false"
                   : cJSON_IsNull(value)   ? "null"
                   : cJSON_IsArray(value)  ? "an array"
                   : cJSON_IsObject(value) ? "an object"
                                           : "of no kind that JSON has");
    return text;
}
