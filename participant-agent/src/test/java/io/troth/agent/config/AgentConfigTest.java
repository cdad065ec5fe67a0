package io.troth.agent.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goal: each source wins over the ones below it, every mistake is named with what is allowed, and no secret is shown.
 * Method: files in a temp directory, an environment and flags that the test makes up.
 */
class AgentConfigTest {

    private static final String URL = "jdbc:postgresql://localhost/bank";

    @TempDir
    Path directory;

    private Path file(String text) throws IOException {
        return Files.writeString(directory.resolve("troth.conf"), text);
    }

    private static AgentConfigLoader accounts() {
        return new AgentConfigLoader().resourceFlags(List.of("accounts=" + URL));
    }

    private static String refusal(AgentConfigLoader loader) {
        return assertThrows(ConfigRefusedException.class, loader::load).getMessage();
    }

    @Test
    void hasDefaultsForEverythingButTheResource() {
        AgentConfig config = accounts().load();
        assertEquals("localhost:7700", config.get(AgentKey.COORDINATORS).get(0).toString());
        assertEquals(7710, config.get(AgentKey.SQL_PORT));
        assertEquals(8710, config.get(AgentKey.HTTP_PORT));
        assertEquals(Duration.ofSeconds(30), config.get(AgentKey.SCAN_INTERVAL));
        assertNull(config.find(AgentKey.CLUSTER_ID));
        assertTrue(config.servesSql());
        AgentConfig.Resource resource = config.resources().get(0);
        assertEquals("accounts", resource.name());
        assertEquals(10, resource.poolSize());
        assertNull(resource.password());
        assertTrue(refusal(new AgentConfigLoader()).contains("--resource NAME=JDBC-URL"));
    }

    @Test
    void takesFlagsOverEnvironmentOverFileOverDefaults() throws IOException {
        Path file = file("agent { http.port = 1, sql.port = 1, scanInterval = 1s, coordinators = [\"localhost:1\","
                + " \"localhost:2\"]\n resources.accounts { url = \"" + URL + "\", poolSize = 3 } }");
        AgentConfig config = new AgentConfigLoader()
                .file(file)
                .environment(Map.of(
                        "TROTH_AGENT_HTTP_PORT", "2",
                        "TROTH_AGENT_SQL_PORT", "2",
                        "TROTH_AGENT_CONNECT_TIMEOUT", "3s",
                        "TROTH_AGENT_RESOURCES_ACCOUNTS_POOL_SIZE", "5",
                        "TROTH_GRPC_PORT", "the coordinator's",
                        "TROTH_AGENT_SERVICE_HOST", "Kubernetes's"))
                .flags(Map.of(AgentKey.HTTP_PORT, "3"))
                .load();
        assertEquals(3, config.get(AgentKey.HTTP_PORT));
        assertEquals(2, config.get(AgentKey.SQL_PORT));
        assertEquals(Duration.ofSeconds(1), config.get(AgentKey.SCAN_INTERVAL));
        assertEquals(2, config.get(AgentKey.COORDINATORS).size());
        assertEquals(3_000, config.link().connectTimeoutMillis());
        assertEquals(5, config.resources().get(0).poolSize());
        List<String> lines = config.lines();
        assertTrue(lines.contains("agent.http.port = \"3\"  # flag --http-port"), lines::toString);
        assertTrue(lines.contains("agent.sql.port = \"2\"  # environment TROTH_AGENT_SQL_PORT"), lines::toString);
        assertTrue(lines.contains("agent.scanInterval = \"1s\"  # troth.conf:1"), lines::toString);
        assertTrue(lines.contains("agent.sql.address = \"127.0.0.1\"  # default"), lines::toString);
    }

    @Test
    void printsAFileThatMeansTheSame() throws IOException {
        AgentConfig config = accounts().flags(Map.of(AgentKey.HTTP_PORT, "3")).load();
        AgentConfig again = new AgentConfigLoader()
                .file(file(String.join("\n", config.lines())))
                .load();
        assertEquals(3, again.get(AgentKey.HTTP_PORT));
        assertEquals(URL, again.resources().get(0).url());
    }

    @Test
    void looksOnlyAtItsOwnBlockOfTheFile() throws IOException {
        Path file = file("grpc.port = nonsense\nagent.resources.a { url = \"" + URL + "\" }");
        assertEquals(
                "a",
                new AgentConfigLoader().file(file).load().resources().get(0).name());
    }

    @Test
    void namesTheNearestKeyForAnUnknownOne() throws IOException {
        String inFile = refusal(accounts().file(file("agent.http.prot = 1\nagent.resources.accounts.poolsize = 2")));
        assertTrue(
                inFile.contains(
                        "troth.conf:1: unknown key agent.http.prot (the nearest known one is" + " agent.http.port)"),
                inFile);
        assertTrue(
                inFile.contains("unknown key agent.resources.accounts.poolsize (the nearest known one is"
                        + " agent.resources.accounts.poolSize)"),
                inFile);
        String inEnvironment = refusal(accounts().environment(Map.of("TROTH_AGENT_HTTP_PROT", "1")));
        assertTrue(inEnvironment.contains("the nearest known one is TROTH_AGENT_HTTP_PORT"), inEnvironment);
        String ofResource = refusal(accounts().environment(Map.of("TROTH_AGENT_RESOURCES_ACCOUNTS_POOL", "1")));
        assertTrue(ofResource.contains("POOL_SIZE"), ofResource);
    }

    @Test
    void saysWhatIsAllowedForEveryWrongValueAtOnce() throws IOException {
        String problems = refusal(accounts()
                .file(file("agent { http.port = 70000, scanInterval = soon, sql.enabled = maybe, coordinators = here,"
                        + " cluster.id = 12, resources.accounts.poolSize = 0, resources.\"no name\".url = x }"))
                .resourceFlags(List.of("nothing")));
        for (String problem : List.of(
                "agent.http.port cannot be \"70000\"; allowed is a port from 1 to 65535",
                "agent.scanInterval cannot be \"soon\"; allowed is a duration",
                "agent.sql.enabled cannot be \"maybe\"; allowed is auto, on or off",
                "agent.coordinators cannot be \"here\"; allowed is host:port",
                "agent.cluster.id cannot be \"12\"; allowed is 16 hexadecimal digits",
                "agent.resources.accounts.poolSize cannot be \"0\"",
                "\"no name\" is no resource name",
                "\"nothing\" is not NAME=JDBC-URL")) {
            assertTrue(problems.contains(problem), () -> problem + " in " + problems);
        }
    }

    @Test
    void refusesPlaintextBeyondThisMachineUnlessItIsAllowed() {
        Map<AgentKey<?>, String> open = Map.of(
                AgentKey.COORDINATORS, "db.example:7700",
                AgentKey.HTTP_ADDRESS, "10.0.0.1",
                AgentKey.SQL_ADDRESS, "10.0.0.1",
                AgentKey.SQL_ENABLED, "on");
        String problems = refusal(accounts().flags(open));
        assertTrue(problems.contains("agent.coordinators names db.example:7700"), problems);
        assertTrue(problems.contains("agent.http.address is 10.0.0.1"), problems);
        assertTrue(problems.contains("agent.sql.address is 10.0.0.1"), problems);
        AgentConfig allowed =
                accounts().flags(open).flags(Map.of(AgentKey.INSECURE, "true")).load();
        assertTrue(allowed.servesSql());
        assertEquals("10.0.0.1:7710", allowed.sql().listen().toString());
    }

    @Test
    void leavesTheGatewayOffBeyondThisMachineUnlessItIsAskedFor() {
        Map<AgentKey<?>, String> beyond = Map.of(AgentKey.SQL_ADDRESS, "0.0.0.0", AgentKey.INSECURE, "true");
        assertFalse(accounts().flags(beyond).load().servesSql());
        String unannounced = refusal(accounts().flags(beyond).flags(Map.of(AgentKey.SQL_ENABLED, "on")));
        assertTrue(unannounced.contains("agent.sql.announce"), unannounced);
        assertFalse(accounts().flags(Map.of(AgentKey.SQL_ENABLED, "off")).load().servesSql());
    }

    @Test
    void wantsTlsFilesInPairsAndReadable() throws IOException {
        Path there = file("");
        String problems = refusal(accounts()
                .flags(Map.of(
                        AgentKey.TLS_CERTIFICATE, there.toString(),
                        AgentKey.SQL_TLS_AUTHORITIES,
                                directory.resolve("none.pem").toString())));
        assertTrue(problems.contains("agent.tls.certificate and agent.tls.key belong together"), problems);
        assertTrue(problems.contains("set agent.tls.authorities, too"), problems);
        assertTrue(problems.contains("none.pem\": there is no such file"), problems);
    }

    @Test
    void readsPasswordsFromFilesAndEnvironmentAndShowsNone() throws IOException {
        Path password = Files.writeString(directory.resolve("password"), "s3cret\n");
        AgentConfig byFile = accounts()
                .resource("accounts", Map.of(AgentKey.PASSWORD_FILE, password.toString()))
                .load();
        assertEquals("s3cret", byFile.resources().get(0).password());
        AgentConfig byEnvironment = new AgentConfigLoader()
                .resourceFlags(List.of("my-db=jdbc:postgresql://u:s3cret@h/d?user=u&password=s3cret&ssl=true"))
                .environment(Map.of("TROTH_AGENT_RESOURCES_MY_DB_PASSWORD", "s3cret"))
                .load();
        assertEquals("s3cret", byEnvironment.resources().get(0).password());
        String printed = byEnvironment.lines() + " " + byEnvironment.resources();
        assertFalse(printed.contains("s3cret"), printed);
        assertTrue(printed.contains("ssl=true"), printed);
        String both = refusal(accounts()
                .resource(
                        "accounts", Map.of(AgentKey.PASSWORD_FILE, password.toString(), AgentKey.PASSWORD, "s3cret")));
        assertTrue(both.contains("set one of them") && !both.contains("s3cret"), both);
        Path gone = directory.resolve("gone");
        String unread = refusal(accounts().resource("accounts", Map.of(AgentKey.PASSWORD_FILE, gone.toString())));
        assertTrue(unread.contains("the password file of resource accounts is \"" + gone), unread);
    }

    /** Else one of the two would be left out without a word, and with it a database. */
    @Test
    void refusesAResourceThatIsGivenTwiceOnTheCommandLine() {
        String twice = refusal(new AgentConfigLoader()
                .resourceFlags(List.of("accounts=" + URL, "stock=" + URL, "accounts=jdbc:postgresql://other/bank")));
        assertTrue(twice.contains("flag --resource: accounts is given twice"), twice);
        assertFalse(twice.contains("stock"), twice);
    }

    /** Else one of the two would get it, and the other one nothing. */
    @Test
    void refusesAVariableThatMayBeMeantForTwoResources() {
        String which = refusal(new AgentConfigLoader()
                .resourceFlags(List.of("my.db=" + URL, "My-DB=" + URL))
                .environment(Map.of("TROTH_AGENT_RESOURCES_MY_DB_PASSWORD", "s3cret")));
        assertTrue(
                which.contains("environment TROTH_AGENT_RESOURCES_MY_DB_PASSWORD may be meant for My-DB or for my.db"),
                which);
        assertFalse(which.contains("s3cret"), which);
    }

    @Test
    void refusesAFileThatIsNoneAndOneThatIsNotThere() throws IOException {
        assertTrue(refusal(accounts().file(file("agent {"))).contains("troth.conf"));
        assertTrue(refusal(accounts().file(directory.resolve("other.conf"))).contains("there is no such file"));
        Path latin = Files.write(
                directory.resolve("latin.conf"),
                "agent.sql.address = \"\u00e9\"".getBytes(StandardCharsets.ISO_8859_1));
        assertTrue(refusal(accounts().file(latin)).contains("latin.conf: it is not written in UTF-8"));
    }
}
