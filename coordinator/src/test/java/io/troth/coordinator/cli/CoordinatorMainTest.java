package io.troth.coordinator.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.config.ConfigKey;
import io.troth.coordinator.config.CoordinatorConfig;
import io.troth.coordinator.log.rocksdb.LogRestore;
import io.troth.coordinator.log.rocksdb.Logs;
import io.troth.coordinator.server.CoordinatorServer;
import io.troth.core.Build;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Goal: every command prints what it promises and ends with the promised code. Method: run them in this process. */
class CoordinatorMainTest {

    @TempDir
    Path temp;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        return CoordinatorMain.run(new PrintWriter(out, true), new PrintWriter(err, true), arguments);
    }

    private Path data() {
        return temp.resolve("data");
    }

    private void startOnce() {
        CoordinatorServer.start(CoordinatorConfig.onFreePorts(data(), Map.of())).close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "bogus",
                "log",
                "config",
                "config check --no-such-option",
                "config check --grpc-port",
                "log verify",
                "log verify a b",
                "log restore --through-epoch x",
                "coordinator extra",
                "admin status --endpoint localhost",
                "admin status --endpoint localhost:65536",
                "admin status --timeout 0"
            })
    void wrongCommandLinesEndWith2(String line) {
        assertEquals(ExitCode.USAGE, run(line.isEmpty() ? new String[0] : line.split(" ")));
        assertFalse(err.toString().isBlank());
        assertFalse(err.toString().contains("Exception"), err.toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--help",
                "coordinator --help",
                "config --help",
                "config print --help",
                "log --help",
                "log verify --help",
                "log restore --help"
            })
    void helpIsThere(String line) {
        assertEquals(ExitCode.OK, run(line.split(" ")), err.toString());
        assertTrue(out.toString().contains("Usage: troth"), out.toString());
    }

    @Test
    void helpShowsTheKeysThatMostPeopleNeedAndSaysWhereTheOthersAre() {
        run("coordinator", "--help");
        assertTrue(out.toString().contains("--grpc-port"));
        assertTrue(out.toString().contains("docs/CONFIGURATION.md"));
        assertFalse(out.toString().contains("--sessions-window-max"));
    }

    @Test
    void saysWhichVersionItIs() {
        assertEquals(ExitCode.OK, run("--version"));
        assertEquals(
                "troth " + Build.VERSION + ", Java " + Runtime.version(),
                out.toString().strip());
    }

    @Test
    void configCheckNamesEverythingThatIsWrong() throws Exception {
        Path file = Files.writeString(temp.resolve("troth.conf"), "data.directory = x\ngrpc.prt = 1\nhttp.port = x\n");
        assertEquals(ExitCode.FAILED, run("config", "check", "-c", file.toString()));
        assertEquals(
                "troth: troth.conf:2: unknown key grpc.prt (the nearest known one is grpc.port)\n"
                        + "troth: troth.conf:3: http.port cannot be \"x\"; allowed is "
                        + ConfigKey.HTTP_PORT.allowed() + "\n",
                err.toString());
        Files.writeString(file, "data.directory = x\n");
        assertEquals(ExitCode.OK, run("config", "check", "-c", file.toString()));
        assertEquals(ExitCode.OK, run("config", "check", "--dev"));
        assertEquals(ExitCode.FAILED, run("config", "check", "--dev", "--grpc-address", "0.0.0.0"));
        assertEquals(ExitCode.OK, run("config", "check", "--dev", "--grpc-address", "0.0.0.0", "--insecure"));
        assertEquals(
                ExitCode.FAILED,
                run("config", "check", "-c", temp.resolve("none").toString()));
    }

    @Test
    void configPrintShowsValuesWithTheirOrigin() {
        assertEquals(ExitCode.OK, run("config", "print", "--dev", "--log-stall-limit", "3s", "--insecure"));
        assertTrue(out.toString().contains("data.directory = \".troth/coordinator\"  # --dev"), out.toString());
        assertTrue(out.toString().contains("log.stallLimit = \"3s\"  # flag --log-stall-limit"), out.toString());
        assertTrue(out.toString().contains("insecure = \"true\"  # flag --insecure"), out.toString());
    }

    @Test
    void verifiesAndDumpsALogThatIsGood() {
        startOnce();
        assertEquals(ExitCode.OK, run("log", "verify", data().toString()), err.toString());
        assertTrue(out.toString().endsWith("EPOCH     1\nThe log is good.\n"), out.toString());
        assertEquals(ExitCode.OK, run("log", "dump", "--json", data().toString()));
        assertTrue(out.toString().startsWith("{\"kind\":\"EPOCH\",\"epoch\":1,\"batch\":1,\"place\":"), out.toString());
        assertTrue(out.toString().contains("{\"good\":true,\"cluster\":\""), out.toString());
    }

    @Test
    void endsWith1AndTheExactPlaceWhenALogIsDamaged() throws Exception {
        startOnce();
        Logs.damage(data());
        assertEquals(ExitCode.FAILED, run("log", "verify", data().toString()));
        assertTrue(out.toString().contains(" at byte "), out.toString());
        assertTrue(out.toString().contains("Copy the data directory before anything else"), out.toString());
        assertEquals(ExitCode.FAILED, run("log", "dump", "--json", data().toString()));
        assertTrue(out.toString().contains("\"good\":false"), out.toString());
        assertEquals(ExitCode.FAILED, run("coordinator", "--data-directory", data().toString(), "--http-port", "0"));
        assertTrue(err.toString().startsWith("troth: DAMAGED: "), err.toString());
        assertFalse(err.toString().contains("\tat "), err.toString());
    }

    @Test
    void aLogOfALaterVersionIsNotCalledDamaged() throws Exception {
        startOnce();
        Logs.rewrite(data().resolve("INCARNATION"), text -> text.replace("format=1", "format=2"));
        assertEquals(ExitCode.FAILED, run("log", "verify", data().toString()));
        assertTrue(out.toString().contains("FORMAT_UNKNOWN: "), out.toString());
        assertFalse(out.toString().contains("is damaged"), out.toString());
    }

    @Test
    void refusesToReadALogThatIsInUseOrNotThere() {
        assertEquals(ExitCode.FAILED, run("log", "verify", data().toString()));
        assertTrue(err.toString().contains("there is no such directory"), err.toString());
        CoordinatorConfig config = CoordinatorConfig.onFreePorts(data(), Map.of());
        try (CoordinatorServer server = CoordinatorServer.start(config)) {
            assertEquals(ExitCode.FAILED, run("log", "verify", data().toString()), server.readyLine());
            assertTrue(err.toString().startsWith("troth: IN_USE: "), err.toString());
            assertEquals(ExitCode.FAILED, run("log", "restore", "--data-directory", data().toString()));
        }
    }

    @Test
    void distrustsNoEpochsThatCannotBe() {
        String most = Long.toString(LogRestore.THROUGH_EPOCH_MAX + 1);
        for (String through : List.of("0", "-1", most, Long.toString(Long.MAX_VALUE))) {
            assertEquals(
                    ExitCode.USAGE,
                    run("log", "restore", "--data-directory", data().toString(), "--through-epoch=" + through));
            assertTrue(err.toString().contains("--through-epoch " + through + " is no epoch"), err.toString());
            assertFalse(Files.exists(data()), "nothing was made");
        }
    }

    @Test
    void restoresALogSoThatAHigherEpochFollowsAndOldOnesAreDistrusted() {
        startOnce();
        assertEquals(
                ExitCode.OK, run("log", "restore", "--data-directory", data().toString(), "--through-epoch", "41"));
        assertTrue(out.toString().contains("Epochs up to 41 are distrusted"), out.toString());
        CoordinatorConfig config = CoordinatorConfig.onFreePorts(data(), Map.of());
        try (CoordinatorServer server = CoordinatorServer.start(config)) {
            assertTrue(server.readyLine().contains(" epoch=42 "), server.readyLine());
        }
        assertEquals(ExitCode.OK, run("log", "restore", "--data-directory", data().toString()));
        assertTrue(out.toString().contains("Epochs up to 1000042 are distrusted"), out.toString());
    }
}
