/* Doubly linked lists whose links sit inside the objects.
 *
 * Invariants: a list's head is a struct list that is in no object; an empty list points at itself.
 * An object that is in no list has a link that points at itself (list_init, list_remove), so
 * removing it again is harmless.
 *
 * Threading: none; whoever owns the list says which lock guards it.
 */
#ifndef DRAGOMAN_BASE_LIST_H
#define DRAGOMAN_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *prev, *next;
};

#define LIST_INIT(head)  \
    {                    \
        &(head), &(head) \
    }

static inline void list_init(struct list *l)
{
    l->prev = l->next = l;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

/* Put link right after `at`: a head for the front, an object's link for behind that object. */
static inline void list_add(struct list *at, struct list *link)
{
    link->prev = at;
    link->next = at->next;
    at->next->prev = link;
    at->next = link;
}

/* Put link right before `at`: a head for the end. */
static inline void list_add_tail(struct list *at, struct list *link)
{
    list_add(at->prev, link);
}

static inline void list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* The object whose member `member` is at `link`. */
#define list_entry(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

/* First and last object of a list that is not empty. */
#define list_first(head, type, member) list_entry((head)->next, type, member)
#define list_last(head, type, member) list_entry((head)->prev, type, member)

/* The link of an object; also of what the loops below take the head for, which is no object. */
#define list_link(pos, type, member) \
    ((struct list *)(void *)((char *)(pos) + offsetof(type, member)))

/* Run the statement for each object; it must not remove any. */
#define list_for_each(pos, head, type, member)               \
    for (type *pos = list_entry((head)->next, type, member); \
         list_link(pos, type, member) != (head);             \
         pos = list_entry(list_link(pos, type, member)->next, type, member))

/* The same; the statement may remove (and free) the object it is given. */
#define list_for_each_safe(pos, head, type, member)                                       \
    for (type *pos = list_entry((head)->next, type, member),                              \
              *pos##_next = list_entry(list_link(pos, type, member)->next, type, member); \
         list_link(pos, type, member) != (head); pos = pos##_next,                        \
              pos##_next = list_entry(list_link(pos, type, member)->next, type, member))

#endif
