/* SPDX-License-Identifier: MIT */
/* All kinds of shared objects. */
#ifndef MPROC_HUB_CLASSES_H
#define MPROC_HUB_CLASSES_H

#include "hub/object.h"

/* NULL: objects of this kind are not shared through the hub. */
const struct object_class *class_of(enum reference_kind kind);

#endif
