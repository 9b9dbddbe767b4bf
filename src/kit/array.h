#ifndef KIT_ARRAY_H
#define KIT_ARRAY_H

/* The number of elements of an array; a pointer will not do. */
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
