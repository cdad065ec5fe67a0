package io.troth.core.coordinator;

/**
 * A Commit that waits for its answer.
 *
 * @param waitCompleted true: until every YES branch is done; false: until the decision is applied
 */
record Waiter(RequestId request, boolean waitCompleted) {}
