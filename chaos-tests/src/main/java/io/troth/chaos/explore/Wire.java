package io.troth.chaos.explore;

import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.StreamId;
import io.troth.core.participant.CoordinatorMessage;

/** What an agent says, as its leader takes it; without the words of reasons, which nothing depends on. */
record Wire(StreamId stream) implements CoordinatorMessage.Visitor<Event> {

    @Override
    public Event enlist(CoordinatorMessage.Enlist m) {
        return new Event.Enlist(stream, m.tx(), m.key(), m.branch(), m.resource(), m.remainingMillis());
    }

    @Override
    public Event branchVote(CoordinatorMessage.BranchVote m) {
        return new Event.VoteReceived(stream, m.tx(), m.branch(), m.vote(), m.proof(), null);
    }

    @Override
    public Event onePhaseProof(CoordinatorMessage.OnePhaseProof m) {
        return new Event.OnePhaseProof(stream, m.tx(), m.branch(), m.proof());
    }

    @Override
    public Event onePhaseResult(CoordinatorMessage.OnePhaseResult m) {
        return new Event.OnePhaseResult(stream, m.tx(), m.branch(), m.fate(), null);
    }

    @Override
    public Event branchDone(CoordinatorMessage.BranchDone m) {
        return new Event.BranchDone(stream, m.tx(), m.branch(), m.result(), "");
    }

    @Override
    public Event branchInquiry(CoordinatorMessage.BranchInquiry m) {
        return new Event.BranchInquiry(stream, m.tx(), m.branch(), m.resource());
    }

    @Override
    public Event fateReport(CoordinatorMessage.FateReport m) {
        return new Event.FateReported(stream, m.tx(), m.branch(), m.fate());
    }

    @Override
    public Event scanReport(CoordinatorMessage.ScanReport m) {
        return new Event.ScanReported(stream, m.resource(), m.lowestEpoch(), m.lowestSession());
    }
}
