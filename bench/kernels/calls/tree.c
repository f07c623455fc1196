/* A binary search tree: recursive insertion, walk and removal, 4000 nodes of a pool. */
#define ITERATIONS 1700
#include "../kernel.h"

enum { NODES = 4000 };
struct node { struct node *left, *right; uint64_t key; };
static struct node pool[NODES];

static NOINLINE struct node *insert(struct node *root, struct node *node)
{
    if (!root) return node;
    if (node->key < root->key) root->left = insert(root->left, node);
    else root->right = insert(root->right, node);
    return root;
}

static NOINLINE __attribute__((optimize("no-optimize-sibling-calls"))) uint64_t walk(const struct node *root, uint64_t sum)
{
    if (!root) return sum;
    sum = walk(root->left, sum);
    return walk(root->right, mix(sum, root->key));
}

static NOINLINE int depth(const struct node *root)
{
    if (!root) return 0;
    int left = depth(root->left), right = depth(root->right);
    return 1 + (left > right ? left : right);
}

static uint64_t work(long iterations)
{
    uint64_t seed = 22, sum = 0;
    for (long round = 0; round < iterations; round++) {
        struct node *root = 0;
        for (int i = 0; i < NODES; i++) {
            pool[i] = (struct node){0, 0, next_random(&seed)};
            root = insert(root, &pool[i]);
        }
        sum = walk(root, sum) + (uint64_t)depth(root);
    }
    return sum;
}
