package io.troth.coordinator.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.troth.coordinator.log.LogSettings;
import io.troth.coordinator.log.raft.RaftSettings;
import io.troth.core.ClusterId;
import io.troth.core.coordinator.CoordinatorLimits;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Goal: the sources win in the promised order, and whatever is wrong is named. Method: load from all sources. */
class CoordinatorConfigTest {

    private static final Map<ConfigKey<?>, String> DATA = Map.of(ConfigKey.DATA_DIRECTORY, "data");

    @TempDir
    Path temp;

    private Path file(String text) throws IOException {
        return Files.writeString(temp.resolve("troth.conf"), text);
    }

    private static String refusal(ConfigLoader loader) {
        return assertThrows(ConfigRefusedException.class, loader::load).getMessage();
    }

    private static String refusal(ConfigKey<?> key, String text) {
        return refusal(new ConfigLoader().flags(DATA).flags(Map.of(key, text)));
    }

    @Test
    void flagsWinOverEnvironmentOverFileOverDefaults() throws IOException {
        Path file = file("""
                data.directory = fromFile
                grpc { port = 1001, address = localhost }
                http.port = 1002
                log.stallLimit = 3s
                """);
        CoordinatorConfig config = new ConfigLoader()
                .defaults(CoordinatorConfig.devDefaults(), "--dev")
                .file(file)
                .environment(Map.of("TROTH_HTTP_PORT", "2002", "TROTH_LOG_STALL_LIMIT", "4s", "PATH", "/bin"))
                .flags(Map.of(ConfigKey.LOG_STALL_LIMIT, "5s"))
                .load();
        assertEquals(
                7700,
                CoordinatorConfig.onFreePorts(temp, Map.of(ConfigKey.GRPC_PORT, "7700"))
                        .get(ConfigKey.GRPC_PORT));
        assertEquals(1001, config.get(ConfigKey.GRPC_PORT));
        assertEquals(2002, config.get(ConfigKey.HTTP_PORT));
        assertEquals(5_000L, config.get(ConfigKey.LOG_STALL_LIMIT));
        assertEquals(Path.of("fromFile"), config.get(ConfigKey.DATA_DIRECTORY));
        List<String> lines = config.lines();
        assertTrue(lines.contains("grpc.port = \"1001\"  # troth.conf:2"), lines.toString());
        assertTrue(lines.contains("http.port = \"2002\"  # environment TROTH_HTTP_PORT"), lines.toString());
        assertTrue(lines.contains("log.stallLimit = \"5s\"  # flag --log-stall-limit"), lines.toString());
        assertTrue(lines.contains("log.lazyIdle = \"1s\"  # default"), lines.toString());
    }

    @Test
    void defaultsAreThoseOfTheCoreAndOfTheLog() {
        CoordinatorConfig config = new ConfigLoader().flags(DATA).load();
        assertEquals(CoordinatorLimits.DEFAULTS, config.limits());
        assertEquals(LogSettings.defaults(Path.of("data")), config.log());
        assertNull(config.find(ConfigKey.CLUSTER_ID));
        assertFalse(config.isEncrypted());
    }

    @Test
    void printedLinesAreAFileThatGivesTheSame() throws IOException {
        CoordinatorConfig config = new ConfigLoader()
                .flags(Map.of(
                        ConfigKey.DATA_DIRECTORY, "a \"quoted\\ name",
                        ConfigKey.CLUSTER_ID, "00000000000000ff",
                        ConfigKey.LOG_FREE_FLOOR, "1GiB"))
                .load();
        CoordinatorConfig again =
                new ConfigLoader().file(file(String.join("\n", config.lines()))).load();
        for (ConfigKey<?> key : ConfigKey.all()) {
            assertEquals(config.find(key), again.find(key), key.keyName());
        }
        assertEquals(new ClusterId(255), again.find(ConfigKey.CLUSTER_ID));
        assertEquals(1L << 30, again.get(ConfigKey.LOG_FREE_FLOOR));
    }

    @Test
    void aMemberOfAClusterKnowsItsClusterAndAllMembers() {
        Map<ConfigKey<?>, String> member = new HashMap<>(Map.of(
                ConfigKey.DATA_DIRECTORY, "data",
                ConfigKey.CLUSTER_ID, "00000000000000ff",
                ConfigKey.CLUSTER_NODE, "b",
                ConfigKey.CLUSTER_NODES, "a=localhost:7701, b=127.0.0.1:7702,c=localhost:7703"));
        CoordinatorConfig config = new ConfigLoader().flags(member).load();
        assertEquals(
                RaftSettings.defaults(
                        config.log(),
                        "b",
                        Map.of("a", "localhost:7701", "b", "127.0.0.1:7702", "c", "localhost:7703"),
                        Map.of(),
                        null,
                        500),
                config.member());
        assertNull(new ConfigLoader().flags(DATA).load().member());

        for (ConfigKey<?> needed : List.of(ConfigKey.CLUSTER_ID, ConfigKey.CLUSTER_NODE, ConfigKey.CLUSTER_NODES)) {
            Map<ConfigKey<?>, String> without = new HashMap<>(member);
            without.remove(needed);
            assertTrue(refusal(new ConfigLoader().flags(without)).contains("belong together"));
        }
        member.put(ConfigKey.CLUSTER_NODE, "d");
        assertTrue(refusal(new ConfigLoader().flags(member)).contains("cluster.node is d, which is not one of"));
        member.put(ConfigKey.CLUSTER_NODE, "a");
        member.put(ConfigKey.CLUSTER_NODES, "a=10.0.0.1:7701");
        assertTrue(refusal(new ConfigLoader().flags(member)).contains("cluster.nodes has 10.0.0.1:7701"));
        member.put(ConfigKey.CLUSTER_NODES, "a=localhost:7701,b=localhost:7702,c=localhost:7701");
        assertTrue(refusal(new ConfigLoader().flags(member))
                .contains("cluster.nodes has localhost:7701 twice, for a and for c"));
        for (String wrong : List.of("a", "a=b", "a=b:0", "a=b:65536", "a=b:1,a=c:1", "a b=c:1", "a=b:1,")) {
            assertTrue(refusal(ConfigKey.CLUSTER_NODES, wrong).contains("name=host:port"), wrong);
        }
    }

    @Test
    void aFileInAnotherEncodingIsRefused() throws IOException {
        Path file = temp.resolve("latin1.conf");
        Files.write(file, "data.directory = \"d\u00fcsseldorf\"".getBytes(StandardCharsets.ISO_8859_1));
        assertTrue(refusal(new ConfigLoader().file(file)).contains("latin1.conf: it is not written in UTF-8"));
    }

    @Test
    void membersSpeakTlsWithAllItsFilesOrNone() throws IOException {
        String here = file("x").toString();
        Map<ConfigKey<?>, String> member = new HashMap<>(Map.of(
                ConfigKey.DATA_DIRECTORY, "data",
                ConfigKey.CLUSTER_ID, "00000000000000ff",
                ConfigKey.CLUSTER_NODE, "a",
                ConfigKey.CLUSTER_NODES, "a=10.0.0.1:7701",
                ConfigKey.CLUSTER_TLS_CERTIFICATE, here,
                ConfigKey.CLUSTER_TLS_KEY, here,
                ConfigKey.CLUSTER_TLS_AUTHORITIES, here));
        assertEquals(
                new RaftSettings.Tls(Path.of(here), Path.of(here), Path.of(here)),
                new ConfigLoader().flags(member).load().member().tls());
        member.put(ConfigKey.INSECURE, "true");
        for (ConfigKey<?> needed : List.of(
                ConfigKey.CLUSTER_TLS_CERTIFICATE, ConfigKey.CLUSTER_TLS_KEY, ConfigKey.CLUSTER_TLS_AUTHORITIES)) {
            Map<ConfigKey<?>, String> without = new HashMap<>(member);
            without.remove(needed);
            assertTrue(refusal(new ConfigLoader().flags(without)).contains("set all or none"));
        }
    }

    @Test
    void bothNamesOfAMemberAreOfTheSameMembers() {
        Map<ConfigKey<?>, String> member = new HashMap<>(Map.of(
                ConfigKey.DATA_DIRECTORY, "data",
                ConfigKey.CLUSTER_ID, "00000000000000ff",
                ConfigKey.CLUSTER_NODE, "a",
                ConfigKey.CLUSTER_NODES, "a=localhost:7701,b=localhost:7702",
                ConfigKey.CLUSTER_ENDPOINTS, "a=localhost:7700"));
        assertTrue(refusal(new ConfigLoader().flags(member)).contains("both name all members"));
        member.put(ConfigKey.CLUSTER_ENDPOINTS, "a=localhost:7700,b=localhost:7710");
        assertNotNull(new ConfigLoader().flags(member).load().member());
    }

    @Test
    void noDefaultIsLongerThanWhatIsAllowed() {
        Map<ConfigKey<?>, String> times =
                new HashMap<>(Map.of(ConfigKey.TRANSACTIONS_TIMEOUT, "2m", ConfigKey.TRANSACTIONS_TIMEOUT_MAX, "1m"));
        assertEquals(
                "transactions.timeout is longer than transactions.timeoutMax",
                refusal(new ConfigLoader().flags(DATA).flags(times)));
        times.put(ConfigKey.TRANSACTIONS_TIMEOUT, "1m");
        assertNotNull(new ConfigLoader().flags(DATA).flags(times).load());
    }

    @Test
    void secretsAreNeverPrinted() {
        String printed = String.join(
                "\n",
                new ConfigLoader()
                        .flags(DATA)
                        .environment(Map.of("TROTH_TLS_KEY_PASSWORD", "open sesame"))
                        .load()
                        .lines());
        assertFalse(printed.contains("sesame"), printed);
        assertTrue(printed.contains("tls.keyPassword = \"********\"  # environment TROTH_TLS_KEY_PASSWORD"), printed);
    }

    @Test
    void namesAnUnknownKeyAndTheNearestOneInEverySource() throws IOException {
        String message = refusal(new ConfigLoader()
                .flags(DATA)
                .file(file("log.stalLimit = 3s\ngrpc = 7\n"))
                .environment(Map.of("TROTH_GRPC_PROT", "1")));
        assertEquals("""
                troth.conf:2: unknown key grpc (the nearest known one is grpc.port)
                troth.conf:1: unknown key log.stalLimit (the nearest known one is log.stallLimit)
                environment: unknown key TROTH_GRPC_PROT (the nearest known one is TROTH_GRPC_PORT)""", message);
    }

    @Test
    void leavesTheAgentsPartOfAFileAndOfTheEnvironmentToTheAgent() throws IOException {
        new ConfigLoader()
                .flags(DATA)
                .file(file("agent { resources.accounts.url = \"jdbc:x\", whatever = [1, 2] }"))
                .environment(Map.of("TROTH_AGENT_WHATEVER", "1", "TROTH_JAVA_OPTS", "-Xmx1g"))
                .load();
    }

    @Test
    void isNotConfusedByWhatKubernetesPutsIntoTheEnvironment() {
        new ConfigLoader()
                .flags(DATA)
                .environment(Map.of(
                        "TROTH_SERVICE_HOST", "10.0.0.1",
                        "TROTH_SERVICE_PORT_HTTP", "8700",
                        "TROTH_PORT", "tcp://10.0.0.1:7700",
                        "TROTH_PORT_7700_TCP_ADDR", "10.0.0.1"))
                .load();
    }

    @ParameterizedTest
    @CsvSource({
        "grpc.port, 70000",
        "grpc.entryMax, 63KiB",
        "grpc.port, http",
        "http.port, -1",
        "grpc.address, a b",
        "cluster.id, 12",
        "insecure, yes",
        "log.stallLimit, 10",
        "log.stallLimit, 10 parsecs",
        "log.stallLimit, 999999999999999d",
        "log.freeFloor, 10MB",
        "transactions.branchesMax, 257",
        "transactions.openMax, 0",
        "transactions.openMax, 99999999999999999999",
        "sessions.grace, 0ms",
        "shutdown.drainLimit, -1s"
    })
    void namesKeyValueAndWhatIsAllowed(String name, String text) {
        ConfigKey<?> key = ConfigKey.all().stream()
                .filter(each -> each.keyName().equals(name))
                .findFirst()
                .orElseThrow();
        assertEquals(
                "flag " + key.option() + ": " + name + " cannot be \"" + text + "\"; allowed is " + key.allowed(),
                refusal(key, text));
    }

    @Test
    void everyKeyRefusesSomethingOrTakesAnyText() {
        for (ConfigKey<?> key : ConfigKey.all()) {
            if (!key.allowed().startsWith("any text")) {
                assertTrue(refusal(key, "\0").contains(key + " cannot be"), key.keyName());
            }
        }
    }

    @Test
    void saysWhatMustBeSetAndWhatMayNotBeEmpty() {
        assertEquals(
                "data.directory is not set: give it in the file, as TROTH_DATA_DIRECTORY or as --data-directory",
                refusal(new ConfigLoader()));
        assertTrue(
                refusal(ConfigKey.GRPC_PORT, "").startsWith("flag --grpc-port: grpc.port is empty; allowed is a port"));
    }

    @Test
    void reportsEveryProblemAtOnce() {
        String message = refusal(new ConfigLoader()
                .file(temp.resolve("missing.conf"))
                .flags(Map.of(ConfigKey.GRPC_PORT, "x", ConfigKey.HTTP_PORT, "y")));
        assertEquals(4, message.lines().count(), message);
    }

    @Test
    void namesTheLineOfAFileThatIsNoConfiguration() throws IOException {
        assertTrue(refusal(new ConfigLoader().flags(DATA).file(file("a = 1\nb = [\n")))
                .contains("troth.conf: 3"));
        assertTrue(refusal(new ConfigLoader().flags(DATA).file(file("grpc.port = [1]")))
                .contains("grpc.port is a list"));
        assertTrue(refusal(new ConfigLoader().flags(DATA).file(file("grpc.port = ${nothing}")))
                .contains("nothing"));
    }

    @Test
    void refusesPlaintextBeyondLoopbackUnlessTold() {
        String message = refusal(ConfigKey.GRPC_ADDRESS, "0.0.0.0");
        assertTrue(message.startsWith("grpc.address is 0.0.0.0, which is not loopback, and it is plaintext."), message);
        assertTrue(message.contains("--insecure"), message);
        assertTrue(refusal(ConfigKey.HTTP_ADDRESS, "db.example").startsWith("http.address is db.example"));
        for (String loopback : List.of("localhost", "127.0.0.1", "127.1.2.3", "::1")) {
            new ConfigLoader()
                    .flags(DATA)
                    .flags(Map.of(ConfigKey.GRPC_ADDRESS, loopback))
                    .load();
        }
        // A name that only looks like an address of this machine.
        assertTrue(refusal(ConfigKey.GRPC_ADDRESS, "127.example.org").contains("not loopback"));
        new ConfigLoader()
                .flags(DATA)
                .flags(Map.of(ConfigKey.GRPC_ADDRESS, "0.0.0.0", ConfigKey.INSECURE, "true"))
                .load();
    }

    @Test
    void wantsTheFilesOfTlsAndAllOfThem() throws IOException {
        String here = file("x").toString();
        assertTrue(refusal(ConfigKey.TLS_KEY, here).contains("belong together"));
        assertTrue(refusal(ConfigKey.TLS_AUTHORITIES, here).contains("gRPC is plaintext"));
        assertTrue(refusal(new ConfigLoader()
                        .flags(DATA)
                        .flags(Map.of(ConfigKey.TLS_CERTIFICATE, here, ConfigKey.TLS_KEY, "missing.pem")))
                .contains("tls.key is \"missing.pem\": there is no such file"));
        assertTrue(new ConfigLoader()
                .flags(DATA)
                .flags(Map.of(
                        ConfigKey.TLS_CERTIFICATE, here,
                        ConfigKey.TLS_KEY, here,
                        ConfigKey.GRPC_ADDRESS, "0.0.0.0"))
                .load()
                .isEncrypted());
    }

    @Test
    void keysHaveOneNameInEachSource() {
        List<ConfigKey<?>> keys = ConfigKey.all();
        assertEquals(
                keys.size(),
                keys.stream()
                        .map(ConfigKey::keyName)
                        .collect(Collectors.toSet())
                        .size());
        assertEquals(
                keys.size(),
                keys.stream()
                        .map(ConfigKey::variable)
                        .collect(Collectors.toSet())
                        .size());
        assertEquals("TROTH_LOG_RECORDS_PER_BATCH_MAX", ConfigKey.LOG_RECORDS_PER_BATCH_MAX.variable());
        assertEquals("--log-records-per-batch-max", ConfigKey.LOG_RECORDS_PER_BATCH_MAX.option());
    }

    @Test
    void anEntryFitsIntoABatch() {
        ConfigRefusedException refused = assertThrows(
                ConfigRefusedException.class,
                () -> CoordinatorConfig.onFreePorts(
                        Path.of("data"), Map.of(ConfigKey.GRPC_ENTRY_MAX, "1MiB", ConfigKey.GRPC_BATCH_MAX, "64KiB")));
        assertTrue(refused.getMessage().contains("grpc.entryMax is larger than grpc.batchMax"), refused::toString);
    }
}
