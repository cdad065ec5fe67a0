package io.troth.bench.troth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.agent.jdbc.PoolSettings;
import org.junit.jupiter.api.Test;

/** An agent has as many connections as the others may have, and at least one for a branch. */
class ConnectionsTest {

    @Test
    void branchesAndRecoveryTogetherKeepToTheLimit() {
        for (int connections = 3; connections <= 64; connections++) {
            int branches = TrothPostgres.branches(connections);
            int all = branches + PoolSettings.ofSize(branches).finishers();
            assertTrue(branches >= 1 && all <= connections, branches + " of " + connections);
        }
        assertEquals(21, TrothPostgres.branches(32));
        assertEquals(1, TrothPostgres.branches(1));
    }
}
