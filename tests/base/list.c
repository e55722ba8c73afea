/* Lists: order, removal while walking, removal of what is in no list. */
#include "tests/unit.h"

#include "base/list.h"

struct item {
    int value;
    struct list link;
};

static void test_order(void **state)
{
    (void)state;
    struct list head = LIST_INIT(head);
    struct item items[5];
    assert_true(list_empty(&head));
    for (int i = 0; i < 5; i++) {
        items[i].value = i;
        list_add_tail(&head, &items[i].link);
    }
    int want = 0;
    list_for_each(it, &head, struct item, link) assert_int_equal(it->value, want++);
    assert_int_equal(want, 5);
    assert_int_equal(list_first(&head, struct item, link)->value, 0);
    assert_int_equal(list_last(&head, struct item, link)->value, 4);

    struct item front = {.value = -1}, middle = {.value = 25};
    list_add(&head, &front.link);
    list_add(&items[2].link, &middle.link);
    static const int order[] = {-1, 0, 1, 2, 25, 3, 4};
    want = 0;
    list_for_each(it, &head, struct item, link) assert_int_equal(it->value, order[want++]);
    assert_int_equal(want, 7);
}

static void test_remove(void **state)
{
    (void)state;
    struct list head;
    list_init(&head);
    struct item items[6];
    for (int i = 0; i < 6; i++) {
        items[i].value = i;
        list_add_tail(&head, &items[i].link);
    }
    list_for_each_safe(it, &head, struct item, link)
    {
        if (it->value % 2 == 0) {
            list_remove(&it->link);
            it->link.next = NULL; /* as if freed: the walk must not look at it again */
        }
    }
    int want = 1;
    list_for_each(it, &head, struct item, link)
    {
        assert_int_equal(it->value, want);
        want += 2;
    }
    assert_int_equal(want, 7);
    list_remove(&items[1].link);
    list_remove(&items[1].link); /* harmless */
    list_remove(&items[3].link);
    list_remove(&items[5].link);
    assert_true(list_empty(&head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
