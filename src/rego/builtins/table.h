/* Every builtin function, and the table that names them. */
#ifndef ASSAY_REGO_BUILTINS_TABLE_H
#define ASSAY_REGO_BUILTINS_TABLE_H

#include "rego/builtin.h"

extern const struct builtin builtin_table[];
extern const size_t builtin_table_count;

#endif
