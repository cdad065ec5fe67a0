package io.troth.coordinator.log.raft;

/** The contract on three members: an entry is durable on two of them before anybody hears of it. */
final class RaftThreeMembersLogTest extends RaftLogContract {
    @Override
    int count() {
        return 3;
    }
}
