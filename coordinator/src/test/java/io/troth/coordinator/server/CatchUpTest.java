package io.troth.coordinator.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.troth.coordinator.admin.ClusterView;
import io.troth.core.ClusterId;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Goal: a member that was restarted counts again when it has what its leader had. Method: views of this test. */
class CatchUpTest {

    private final CatchUp catchUp = new CatchUp();

    private Reason look(ClusterView.Role role, long applied, long leaderIndex) {
        return catchUp.look(
                new ClusterView(new ClusterId(1), "b", "1", role, 3, "a", applied, applied, List.of()), leaderIndex);
    }

    private Reason follower(long applied, long leaderIndex) {
        return look(ClusterView.Role.FOLLOWER, applied, leaderIndex);
    }

    @Test
    void itHasCaughtUpWithWhatItsLeaderHadWhenItWasFirstHeardOf() {
        assertEquals(
                new Reason(ErrorCode.NOT_READY, "its leader has not said yet how far the log goes"), follower(4, -1));
        assertEquals(new Reason(ErrorCode.NOT_READY, "it catches up: entry 4 of 9 is applied"), follower(4, 9));
        assertEquals(
                new Reason(ErrorCode.NOT_READY, "it catches up: entry 8 of 9 is applied"),
                follower(8, 30),
                "the leader goes on meanwhile");
        assertNull(follower(9, 31));
        assertNull(follower(9, 500), "everybody is behind at some look");
    }

    @Test
    void whoHasNoVoteDoesNotCountWhateverItHas() {
        assertNull(follower(9, 9));
        assertEquals(ErrorCode.NOT_READY, look(ClusterView.Role.OUTSIDE, 9, 9).code());
    }
}
