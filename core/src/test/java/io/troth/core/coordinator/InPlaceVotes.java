package io.troth.core.coordinator;

import io.troth.core.ErrorCode;
import io.troth.core.Proof;
import io.troth.core.Reason;
import io.troth.core.ScenarioWords;
import io.troth.core.Vote;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The votes that a Commit of a scenario brings, with a comma between them, as in {@code votes=YES:proof,NO:DEADLOCK,READ_ONLY}.
 */
final class InPlaceVotes {

    private InPlaceVotes() {}

    static List<Event.CommitRequested.BranchVote> of(ScenarioWords words) {
        List<Event.CommitRequested.BranchVote> votes = new ArrayList<>();
        if (words.has("votes")) {
            for (String each : words.value("votes").split(",", -1)) {
                votes.add(vote(each.split(":", -1)));
            }
        }
        return votes;
    }

    private static Event.CommitRequested.BranchVote vote(String[] parts) {
        @Nullable String more = parts.length > 1 ? parts[1] : null;
        return switch (Vote.valueOf(parts[0])) {
            case YES ->
                new Event.CommitRequested.BranchVote(Vote.YES, more == null ? null : Proof.of(new byte[] {1}), null);
            case NO ->
                new Event.CommitRequested.BranchVote(
                        Vote.NO, null, more == null ? null : Reason.of(ErrorCode.valueOf(more)));
            case READ_ONLY -> new Event.CommitRequested.BranchVote(Vote.READ_ONLY, null, null);
        };
    }
}
