package io.troth.chaos.stack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.troth.chaos.bank.Transfer;
import io.troth.proto.v1.BeginRequest;
import io.troth.proto.v1.BeginResponse;
import io.troth.proto.v1.CommitRequest;
import io.troth.proto.v1.CommitResponse;
import io.troth.proto.v1.ExecuteRequest;
import io.troth.proto.v1.GetOutcomeRequest;
import io.troth.proto.v1.Outcome;
import io.troth.proto.v1.RollbackRequest;
import io.troth.proto.v1.SqlParameter;
import io.troth.proto.v1.SqlServiceGrpc;
import io.troth.proto.v1.SqlStatement;
import io.troth.proto.v1.SqlType;
import io.troth.proto.v1.SqlValue;
import io.troth.proto.v1.TransactionServiceGrpc;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Goal: another language, or grpcurl, needs nothing of ours but the .proto files. Method: generated stubs on plain
 * channels, the header and the branch lists handled by hand.
 */
class UnaryFacadeTest {

    private static final Metadata.Key<String> CONTEXT =
            Metadata.Key.of("troth-transaction", Metadata.ASCII_STRING_MARSHALLER);

    private static ProcessStack stack;

    private final List<ManagedChannel> channels = new ArrayList<>();

    @BeforeAll
    static void start() {
        stack = new ProcessStack(() -> Banks.create("UnaryFacade"));
    }

    @AfterAll
    static void end() {
        stack.close();
    }

    @AfterEach
    void closeChannels() {
        channels.forEach(ManagedChannel::shutdownNow);
    }

    @Test
    void commitsOverTwoDatabases() {
        Transfer transfer = Banks.transfer();
        BeginResponse begun = transactions().begin(BeginRequest.getDefaultInstance());
        List<String> lists = work(begun, transfer);
        CommitRequest commit = CommitRequest.newBuilder()
                .setTx(begun.getTx())
                .setKey(begun.getKey())
                .addAllBranches(lists)
                .build();
        assertEquals(Outcome.OUTCOME_COMMITTED, transactions().commit(commit).getOutcome());
        assertEquals(Outcome.OUTCOME_COMMITTED, transactions().commit(commit).getOutcome(), "a repeated commit");
        assertEquals(io.troth.core.Outcome.COMMITTED, stack.banks().ending(transfer));
        assertEquals(Outcome.OUTCOME_COMMITTED, outcome(begun, lists));
    }

    @Test
    void rollsBackOnRequest() {
        Transfer transfer = Banks.transfer();
        BeginResponse begun = transactions().begin(BeginRequest.getDefaultInstance());
        List<String> lists = work(begun, transfer);
        assertEquals(
                Outcome.OUTCOME_ROLLED_BACK,
                transactions()
                        .rollback(RollbackRequest.newBuilder()
                                .setTx(begun.getTx())
                                .setKey(begun.getKey())
                                .build())
                        .getOutcome());
        assertEquals(io.troth.core.Outcome.ROLLED_BACK, stack.banks().ending(transfer));
        assertEquals(Outcome.OUTCOME_ROLLED_BACK, outcome(begun, lists));
    }

    @Test
    void rollsBackWhenABranchIsLeftOut() {
        Transfer transfer = Banks.transfer();
        BeginResponse begun = transactions().begin(BeginRequest.getDefaultInstance());
        List<String> lists = work(begun, transfer);
        assertEquals(
                Outcome.OUTCOME_ROLLED_BACK,
                transactions()
                        .commit(CommitRequest.newBuilder()
                                .setTx(begun.getTx())
                                .setKey(begun.getKey())
                                .addBranches(lists.get(0))
                                .build())
                        .getOutcome());
        assertEquals(io.troth.core.Outcome.ROLLED_BACK, stack.banks().ending(transfer));
    }

    @Test
    void refusesACommitWithAWrongKey() {
        BeginResponse begun = transactions().begin(BeginRequest.getDefaultInstance());
        List<String> lists = work(begun, Banks.transfer());
        StatusRuntimeException e = assertThrows(
                StatusRuntimeException.class,
                () -> transactions()
                        .commit(CommitRequest.newBuilder()
                                .setTx(begun.getTx())
                                .setKey("0".repeat(32))
                                .addAllBranches(lists)
                                .build()));
        assertEquals(Status.Code.PERMISSION_DENIED, e.getStatus().getCode());
        transactions()
                .rollback(RollbackRequest.newBuilder()
                        .setTx(begun.getTx())
                        .setKey(begun.getKey())
                        .build());
    }

    /** Who called first waits no longer; the second call goes to another life of the coordinator. */
    @ParameterizedTest
    @CsvSource({
        "BEFORE_APPEND_COMMIT, OUTCOME_ROLLED_BACK, LEADER_CHANGED",
        "AFTER_COMMIT_DURABLE, OUTCOME_COMMITTED, ''"
    })
    void aCommitThatGotNoAnswerIsRepeated(String point, Outcome outcome, String reason) {
        Transfer transfer = Banks.transfer();
        BeginResponse begun = transactions().begin(BeginRequest.getDefaultInstance());
        CommitRequest commit = CommitRequest.newBuilder()
                .setTx(begun.getTx())
                .setKey(begun.getKey())
                .addAllBranches(work(begun, transfer))
                .build();
        stack.coordinator().arm(point, 1);
        Future<CommitResponse> first =
                TransactionServiceGrpc.newFutureStub(channel(stack.port())).commit(commit);
        assertEquals(begun.getTx(), stack.coordinator().awaitReached(point));
        // Not before: a deadline of its own could be over before the coordinator has heard of it.
        assertTrue(first.cancel(true), "it was answered");
        stack.coordinator().kill();
        stack.coordinator().restart();

        CommitResponse response = repeated(commit);
        assertEquals(outcome, response.getOutcome());
        assertEquals(reason, response.getReason().getCode());
        stack.banks().awaitNothingPrepared();
        assertEquals(
                outcome == Outcome.OUTCOME_COMMITTED
                        ? io.troth.core.Outcome.COMMITTED
                        : io.troth.core.Outcome.ROLLED_BACK,
                stack.banks().ending(transfer));
    }

    /** As docs/OTHER-LANGUAGES.md says: again, until a response comes. */
    private CommitResponse repeated(CommitRequest commit) {
        TransactionServiceGrpc.TransactionServiceBlockingStub stub = transactions();
        return Awaitility.await().atMost(Duration.ofSeconds(90)).until(() -> answer(stub, commit), Objects::nonNull);
    }

    private static CommitResponse answer(
            TransactionServiceGrpc.TransactionServiceBlockingStub stub, CommitRequest commit) {
        try {
            CommitResponse response =
                    stub.withDeadlineAfter(5, TimeUnit.SECONDS).commit(commit);
            return response.getOutcome() == Outcome.OUTCOME_PENDING ? null : response;
        } catch (StatusRuntimeException e) {
            return null;
        }
    }

    private Outcome outcome(BeginResponse begun, List<String> lists) {
        return transactions()
                .getOutcome(GetOutcomeRequest.newBuilder()
                        .setTx(begun.getTx())
                        .addAllBranches(lists)
                        .build())
                .getOutcome();
    }

    /** Both halves of a transfer; returns the lists of the replies. */
    private List<String> work(BeginResponse begun, Transfer transfer) {
        List<String> lists = new ArrayList<>();
        int call = 0;
        for (String bank : List.of(Banks.A, Banks.B)) {
            long amount = bank.equals(Banks.A) ? -transfer.amount() : transfer.amount();
            call++;
            lists.add(execute(
                    begun,
                    call,
                    bank,
                    Transfer.INSERT_ROW,
                    integer(SqlType.SQL_TYPE_INT8, transfer.number()),
                    integer(SqlType.SQL_TYPE_INT4, transfer.fromAccount()),
                    integer(SqlType.SQL_TYPE_INT8, amount)));
            call++;
            lists.add(execute(
                    begun,
                    call,
                    bank,
                    Transfer.MOVE_MONEY,
                    integer(SqlType.SQL_TYPE_INT8, amount),
                    integer(SqlType.SQL_TYPE_INT4, transfer.fromAccount())));
        }
        return lists;
    }

    private String execute(BeginResponse begun, int call, String bank, String sql, SqlParameter... parameters) {
        SqlStatement statement = SqlStatement.newBuilder()
                .setResource(bank)
                .setSql(sql)
                .addAllParameters(List.of(parameters))
                .build();
        return SqlServiceGrpc.newBlockingStub(under(begun, call, channel(stack.sqlPort(bank))))
                .execute(ExecuteRequest.newBuilder().setStatement(statement).build())
                .getBranches();
    }

    /** The header with the call's own number. */
    private static Channel under(BeginResponse begun, int call, Channel channel) {
        List<String> fields = new ArrayList<>(List.of(begun.getContext().split(";", -1)));
        fields.set(4, Integer.toString(call));
        Metadata headers = new Metadata();
        headers.put(CONTEXT, String.join(";", fields));
        return ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    private static SqlParameter integer(SqlType type, long value) {
        return SqlParameter.newBuilder()
                .setType(type)
                .setValue(SqlValue.newBuilder().setIntValue(value))
                .build();
    }

    private TransactionServiceGrpc.TransactionServiceBlockingStub transactions() {
        return TransactionServiceGrpc.newBlockingStub(channel(stack.port()));
    }

    private ManagedChannel channel(int port) {
        ManagedChannel channel = Grpc.newChannelBuilderForAddress(
                        "localhost", port, InsecureChannelCredentials.create())
                .build();
        channels.add(channel);
        return channel;
    }
}
