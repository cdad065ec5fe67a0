package io.troth.core;

/**
 * One line of a transaction's branch list: how many calls, whose replies reached the sender, worked on this branch
 * (protocol 5.4). The instance that holds the branch is part of {@link BranchId}.
 *
 * @param branch the branch; the gtrid of its Xid is the transaction's
 * @param resource the name of the resource the branch works on, 1 to 255 characters
 * @param calls the number of calls, at least 1
 */
public record BranchWork(BranchId branch, String resource, int calls) {

    public BranchWork {
        ResourceName.check(resource);
        if (calls < 1) {
            throw new IllegalArgumentException("branch " + branch + " is listed with " + calls + " calls; at least 1");
        }
    }
}
