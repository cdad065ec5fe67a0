package io.troth.coordinator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.grpc.LiveCoordinator;
import io.troth.coordinator.grpc.Unended;
import io.troth.coordinator.server.CoordinatorServer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Goal: the commands of docs/OPERATIONS.md do what they say. Method: a coordinator with one branch in doubt. */
class AdminCommandTest {

    private LiveCoordinator coordinator;
    private Unended unended;
    private String err = "";

    @BeforeEach
    void start() throws Exception {
        coordinator = new LiveCoordinator();
        unended = new Unended(coordinator);
    }

    @AfterEach
    void stop() throws Exception {
        coordinator.close();
    }

    @Test
    void tablesSayWhatIsInDoubt() {
        List<String> lines = run(ExitCode.OK, "in-doubt").lines().toList();
        assertEquals(2, lines.size());
        assertTrue(lines.get(0).matches("TX +BRANCH +RESOURCE +OUTCOME +HELD"), lines.get(0));
        assertTrue(lines.get(1).matches(unended.tx + " +" + unended.held + " +stock +COMMITTED +no"), lines.get(1));
        assertTrue(run(ExitCode.OK, "status").contains("committed, not ended        1"));
        assertTrue(run(ExitCode.OK, "transactions").contains(unended.tx + "  COMMITTED  COMMITTED  2         unary"));
        assertTrue(run(ExitCode.OK, "show", unended.tx.toString()).contains(unended.held + "  stock     YES   no"));
        assertTrue(run(ExitCode.OK, "agents").contains("000000000000000b  stock     postgresql  troth"));
    }

    @Test
    void jsonIsOneObjectALine() {
        assertEquals(
                "{\"tx\":\"" + unended.tx + "\",\"branch\":\"" + unended.held
                        + "\",\"resource\":\"stock\",\"outcome\":\"COMMITTED\",\"held\":false}",
                run(ExitCode.OK, "in-doubt", "--json").strip());
        assertEquals(2, run(ExitCode.OK, "agents", "--json").lines().count());
        assertTrue(run(ExitCode.OK, "status", "--json").contains("\"COMMITTED\":1"));
        assertTrue(run(ExitCode.OK, "transactions", "--json").contains("\"vote\":\"YES\",\"done\":false"));
    }

    @Test
    void settlesABranchAndSaysWhyItCannotTwice() {
        String tx = unended.tx.toString();
        String branch = unended.held.toString();
        assertEquals(
                "forced COMMIT of branch " + branch + "; its transaction is COMMITTED",
                run(ExitCode.OK, "resolve", tx, branch, "COMMIT", "--reason", "as the other one")
                        .strip());
        run(ExitCode.FAILED, "resolve", tx, branch, "COMMIT", "--reason", "again");
        assertTrue(err.startsWith("troth: TRANSACTION_ENDED: " + tx + " was already decided by force"), err);
        assertTrue(run(ExitCode.OK, "close", tx, "--reason", "stock is gone").startsWith("closed " + tx));
    }

    @Test
    void holdsAndExcludes() {
        assertEquals(
                "held stock",
                run(ExitCode.OK, "hold", "stock", "--reason", "restored").strip());
        assertTrue(run(ExitCode.OK, "in-doubt").contains("COMMITTED  yes"));
        assertEquals(
                "released stock",
                run(ExitCode.OK, "release", "stock", "--reason", "checked").strip());
        assertTrue(run(ExitCode.OK, "in-doubt").contains("COMMITTED  no"));
        assertEquals(
                "excluded stock",
                run(ExitCode.OK, "exclude", "stock", "--reason", "gone").strip());
        assertTrue(run(ExitCode.OK, "in-doubt").contains("COMMITTED  no"), "excluded, and not held");
        assertEquals(
                "included stock",
                run(ExitCode.OK, "include", "stock", "--reason", "back").strip());
    }

    @Test
    void showsWhatIsOnHoldByTheConfiguration(@TempDir Path data) {
        CoordinatorConfig config =
                CoordinatorConfig.onFreePorts(data, Map.of(ConfigKey.RESOURCES_ON_HOLD, "stock, accounts"));
        try (CoordinatorServer server = CoordinatorServer.start(config)) {
            String status = runAt(server.grpcPort(), ExitCode.OK, "status");
            assertTrue(status.contains("accounts, stock"), status);
        }
    }

    @Test
    void doubtsANameThatNobodyHasUsed() {
        String doubt = "; no agent of it has connected to this leader: is the name right?";
        for (String[] each : new String[][] {
            {"hold", "held"}, {"release", "released"}, {"exclude", "excluded"}, {"include", "included"}
        }) {
            assertEquals(
                    each[1] + " stok" + doubt,
                    run(ExitCode.OK, each[0], "stok", "--reason", "restored").strip());
        }
        assertEquals(
                "{\"resource\":\"stok\",\"done\":\"held\",\"known\":false}",
                run(ExitCode.OK, "hold", "stok", "--reason", "restored", "--json")
                        .strip());
    }

    @Test
    void aWrongCommandLineIsUsageAndNothingElse() {
        run(ExitCode.USAGE, "resolve", unended.tx.toString(), unended.held.toString(), "COMMIT");
        assertTrue(err.contains("--reason"), err);
        run(ExitCode.USAGE, "resolve", unended.tx.toString(), unended.held.toString(), "PERHAPS", "--reason", "x");
        run(ExitCode.USAGE, "show", "1.2.3");
        run(ExitCode.USAGE, "hold", "no/name", "--reason", "x");
        run(ExitCode.USAGE, "status", "--cert", "a.pem", "--key", "b.pem");
    }

    @Test
    void saysThatNobodyAnswers() throws Exception {
        coordinator.close();
        run(ExitCode.UNREACHABLE, "status");
        assertTrue(err.startsWith("troth: NO_COORDINATOR: localhost:"), err);
    }

    private String run(int exitCode, String... arguments) {
        return runAt(coordinator.port(), exitCode, arguments);
    }

    private String runAt(int port, int exitCode, String... arguments) {
        List<String> all = new ArrayList<>(List.of("admin"));
        all.addAll(List.of(arguments));
        all.addAll(List.of("--endpoint", "localhost:" + port));
        StringWriter out = new StringWriter();
        StringWriter errors = new StringWriter();
        int code = CoordinatorMain.run(
                new PrintWriter(out, true), new PrintWriter(errors, true), all.toArray(String[]::new));
        err = errors.toString();
        assertEquals(exitCode, code, out + err);
        return out.toString();
    }
}
