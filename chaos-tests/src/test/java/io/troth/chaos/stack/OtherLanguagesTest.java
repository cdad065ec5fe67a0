package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.Descriptors;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.grpc.CallOptions;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.troth.chaos.process.WorkDirectory;
import io.troth.proto.v1.BeginRequest;
import io.troth.proto.v1.ExecuteRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Goal: docs/OTHER-LANGUAGES.md is true. Method: the requests are read from it and sent as {@code grpcurl} would, from JSON
 * and the descriptors alone; its program is run by {@code python3}, or what {@code -Dtroth.python} names, where that has
 * gRPC.
 */
class OtherLanguagesTest {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Pattern REQUEST = Pattern.compile(
            "grpcurl -plaintext(?: -H \"troth-transaction: ([^\"]*)\")? -d '([^']*)'\\s+(?:\\\\\\s+)?localhost:(\\d+) (\\S+)/(\\S+)");
    private static final Pattern FIELD = Pattern.compile("\"(tx|key|context|branches|outcome)\": \"([^\"]*)\"");
    private static final Metadata.Key<String> CONTEXT =
            Metadata.Key.of("troth-transaction", Metadata.ASCII_STRING_MARSHALLER);
    private static final long LIMIT_SECONDS = 120;

    private static ProcessStack stack;
    private static String page;

    @BeforeAll
    static void start() throws IOException {
        stack = new ProcessStack(() -> Banks.create("OtherLanguages"));
        for (String bank : List.of(Banks.A, Banks.B)) {
            stack.banks()
                    .server(bank)
                    .execute(stack.banks().database(), new String[] {"ALTER TABLE account RENAME number TO id"});
        }
        page = Files.readString(ROOT.resolve("docs/OTHER-LANGUAGES.md"))
                .replace("\"accounts\"", '"' + Banks.A + '"')
                .replace("\"savings\"", '"' + Banks.B + '"');
    }

    @AfterAll
    static void end() {
        stack.close();
    }

    @Test
    void theRequestsOfThePageDoWhatItSays() throws Exception {
        List<Long> before = balances();
        Map<String, String> said = new HashMap<>();
        List<String> outcomes = new ArrayList<>();
        int call = 0;
        int requests = 0;
        Matcher request = REQUEST.matcher(page);
        while (request.find()) {
            requests++;
            if (request.group(1) != null) {
                call++;
                List<String> fields =
                        new ArrayList<>(Arrays.asList(said.get("context").split(";", -1)));
                fields.set(4, Integer.toString(call));
                said.put("CONTEXT_" + call, String.join(";", fields));
            }
            String reply = send(
                    port(request.group(3)),
                    request.group(4),
                    request.group(5),
                    filled(request.group(1), said),
                    filled(request.group(2), said));
            Matcher field = FIELD.matcher(reply);
            while (field.find()) {
                switch (field.group(1)) {
                    case "context" -> said.put("context", field.group(2));
                    case "branches" -> said.put("BRANCHES_" + call, field.group(2));
                    case "outcome" -> outcomes.add(field.group(2));
                    default -> said.put(field.group(1).toUpperCase(java.util.Locale.ROOT), field.group(2));
                }
            }
        }
        assertEquals(page.split("\ngrpcurl ", -1).length - 1, requests, "a request that this test cannot read");
        assertEquals(7, requests);
        assertEquals(
                List.of("OUTCOME_COMMITTED", "OUTCOME_COMMITTED", "OUTCOME_COMMITTED"),
                outcomes,
                "Commit, GetOutcome, and a Rollback that comes too late");
        assertEquals(List.of(before.get(0) - 10, before.get(1) + 10), balances());
    }

    @Test
    void theProgramOfThePageMovesMoney() throws Exception {
        String python = System.getProperty("troth.python", "python3");
        try (WorkDirectory directory = WorkDirectory.create("other-languages-")) {
            Path program = directory.path().resolve("transfer.py");
            Matcher block =
                    Pattern.compile("```python\n(.*?)```", Pattern.DOTALL).matcher(page);
            assertTrue(block.find());
            Files.writeString(program, block.group(1));
            assumeTrue(
                    runs(directory.path(), python, "-c", "import grpc, grpc_tools")
                            .equals("0 "),
                    "no Python with grpcio and grpcio-tools");
            Matcher generate =
                    Pattern.compile("    python (-m grpc_tools\\.protoc .*)").matcher(page);
            assertTrue(generate.find());
            List<String> line = new ArrayList<>(List.of(python));
            line.addAll(List.of(generate.group(1)
                    .replace("-I proto ", "-I " + ROOT.resolve("proto/src/main/protobuf") + " ")
                    .split(" ", -1)));
            assertEquals("0 ", runs(directory.path(), line.toArray(String[]::new)));
            List<Long> before = balances();
            assertEquals(
                    "0 OUTCOME_COMMITTED \n",
                    runs(
                            directory.path(),
                            python,
                            program.toString(),
                            "localhost:" + stack.port(),
                            "localhost:" + port("7710"),
                            "localhost:" + port("7711")));
            assertEquals(List.of(before.get(0) - 10, before.get(1) + 10), balances());
        }
    }

    private static String filled(String text, Map<String, String> said) {
        if (text == null) {
            return null;
        }
        Matcher name = Pattern.compile("\\$(\\w+)").matcher(text);
        return name.replaceAll(match -> Matcher.quoteReplacement(said.get(match.group(1))));
    }

    private static int port(String onThePage) {
        return switch (onThePage) {
            case "7700" -> stack.port();
            case "7710" -> stack.sqlPort(Banks.A);
            case "7711" -> stack.sqlPort(Banks.B);
            default -> throw new IllegalArgumentException(onThePage);
        };
    }

    /** One request, and all that comes back. A stream of one request looks the same as a single request. */
    private static String send(int port, String service, String method, String context, String json)
            throws InvalidProtocolBufferException {
        Descriptors.MethodDescriptor proto =
                List.of(BeginRequest.getDescriptor(), ExecuteRequest.getDescriptor()).stream()
                        .flatMap(type -> type.getFile().getServices().stream())
                        .filter(its -> its.getFullName().equals(service))
                        .findFirst()
                        .orElseThrow()
                        .findMethodByName(method);
        DynamicMessage.Builder request = DynamicMessage.newBuilder(proto.getInputType());
        JsonFormat.parser().merge(json, request);
        MethodDescriptor<DynamicMessage, DynamicMessage> call =
                MethodDescriptor.<DynamicMessage, DynamicMessage>newBuilder()
                        .setType(MethodDescriptor.MethodType.SERVER_STREAMING)
                        .setFullMethodName(MethodDescriptor.generateFullMethodName(service, method))
                        .setRequestMarshaller(
                                ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(proto.getInputType())))
                        .setResponseMarshaller(
                                ProtoUtils.marshaller(DynamicMessage.getDefaultInstance(proto.getOutputType())))
                        .build();
        Metadata headers = new Metadata();
        if (context != null) {
            headers.put(CONTEXT, context);
        }
        ManagedChannel channel = Grpc.newChannelBuilderForAddress(
                        "localhost", port, InsecureChannelCredentials.create())
                .build();
        try {
            StringBuilder replies = new StringBuilder();
            Iterator<DynamicMessage> messages = ClientCalls.blockingServerStreamingCall(
                    ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers)),
                    call,
                    CallOptions.DEFAULT.withDeadlineAfter(LIMIT_SECONDS, TimeUnit.SECONDS),
                    request.build());
            while (messages.hasNext()) {
                replies.append(JsonFormat.printer().print(messages.next()));
            }
            return replies.toString();
        } finally {
            channel.shutdownNow();
        }
    }

    /** Exit code and output. */
    private static String runs(Path directory, String... line) throws IOException, InterruptedException {
        Process process;
        try {
            process = new ProcessBuilder(line)
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .start();
        } catch (IOException e) {
            return e.getMessage();
        }
        try {
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), output);
            return process.exitValue() + " " + output;
        } finally {
            process.destroyForcibly();
        }
    }

    /** Of the first account of each bank. */
    private static List<Long> balances() throws Exception {
        List<Long> balances = new ArrayList<>();
        for (String bank : List.of(Banks.A, Banks.B)) {
            try (Connection connection =
                            stack.banks().server(bank).connect(stack.banks().database());
                    Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("SELECT balance FROM account WHERE id = 1")) {
                row.next();
                balances.add(row.getLong(1));
            }
        }
        return balances;
    }
}
