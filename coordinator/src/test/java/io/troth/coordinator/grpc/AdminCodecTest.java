package io.troth.coordinator.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.troth.core.ClusterId;
import io.troth.core.coordinator.LeaderView;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Goal: what an operator is shown of a coordinator does not contradict itself. */
class AdminCodecTest {

    @ParameterizedTest
    @CsvSource({"true, true, true", "true, false, false", "false, true, false"})
    void whoIsNotReadyAcceptsNothing(boolean ready, boolean accepting, boolean shown) {
        LeaderView view = new LeaderView(null, ready, !ready, accepting, Map.of(), 0, 0, 0, 0, List.of(), List.of());
        assertEquals(
                shown,
                AdminCodec.status(AdminCodec.status(new ClusterId(1), view, 7))
                        .leader()
                        .accepting());
    }
}
