package io.troth.coordinator.log.raft;

/** The contract on a single member: what does not depend on others. */
final class RaftOneMemberLogTest extends RaftLogContract {
    @Override
    int count() {
        return 1;
    }
}
