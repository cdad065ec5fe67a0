package io.troth.coordinator.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.ConfigRefusedException;
import io.troth.coordinator.config.CoordinatorConfig;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Goal: whoever may be called so in a configuration can be named by an operator, and nobody else. */
class ClusterCodecTest {

    @ParameterizedTest
    @ValueSource(
            strings = {"a", "7", "-", "-a", "node-a", "a123456789b123456789c123456789d123456789e123456789f123456789g123"
            })
    void aNodeOfAConfigurationCanBeNamed(String node) {
        assertEquals(node, configured(node));
        assertEquals(node, ClusterCodec.node(node));
    }

    @Test
    void whatIsNoNodeOfAnyIsRefused() {
        String tooLong = "a".repeat(65);
        for (String node : new String[] {"", "a b", "a.b", "a/b", tooLong}) {
            assertThrows(IllegalArgumentException.class, () -> ClusterCodec.node(node), node);
        }
        assertThrows(ConfigRefusedException.class, () -> configured(tooLong));
    }

    private static String configured(String node) {
        return CoordinatorConfig.onFreePorts(
                        Path.of("data"),
                        Map.of(
                                ConfigKey.CLUSTER_ID,
                                "0000000000c0ffee",
                                ConfigKey.CLUSTER_NODE,
                                node,
                                ConfigKey.CLUSTER_NODES,
                                node + "=127.0.0.1:1"))
                .get(ConfigKey.CLUSTER_NODE);
    }
}
