package io.troth.coordinator.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.netty.NettyServerBuilder;
import io.troth.coordinator.admin.Administration;
import io.troth.coordinator.admin.Listing;
import io.troth.coordinator.admin.Requests;
import io.troth.core.BranchId;
import io.troth.core.Decision;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Outcome;
import io.troth.core.TrothException;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.InDoubtView;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import io.troth.core.coordinator.TransactionView;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Goal: nobody changes anything from another machine, nobody is told of a decision that may not have been taken, and
 * every list arrives.
 * Method: the endpoint alone, on a server that does not say, or says, where a call comes from; the engine is simulated.
 */
class AdminEndpointTest {

    private static final GlobalTxId TX = new GlobalTxId(0, new EpochId(1, 2), 3, 4);
    private static final BranchId BRANCH = new BranchId(5, 6);

    private final SimulatedInbox inbox = new SimulatedInbox();
    private final EventLoops loops = new EventLoops(1);
    private Server server;
    private AdminClient admin;

    @AfterEach
    void close() throws Exception {
        admin.close();
        server.shutdownNow().awaitTermination();
        loops.close();
    }

    private void serve(Requests requests, ServerInterceptor... interceptors) throws Exception {
        AdminEndpoint endpoint = new AdminEndpoint(
                new Administration(inbox, requests),
                new GrpcStreamGateway(Edge.CLUSTER, 0),
                loops,
                new Refusals(EdgeListener.NONE, System::nanoTime));
        server = NettyServerBuilder.forAddress(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), InsecureServerCredentials.create())
                .bossEventLoopGroup(loops.group())
                .workerEventLoopGroup(loops.group())
                .channelType(loops.channelType())
                .directExecutor()
                .addService(ServerInterceptors.intercept(endpoint, interceptors))
                .build()
                .start();
        admin = new AdminClient("localhost:" + server.getPort(), null, 60_000);
    }

    private static CompletableFuture<ClientMessage> answer(Outcome outcome) {
        return CompletableFuture.completedFuture(new ClientMessage.Answer(1, TX, outcome, false, null, null));
    }

    @Test
    void nothingIsChangedFromAnAddressThatIsNotLoopback() throws Exception {
        serve(request -> answer(Outcome.COMMITTED));
        List<Runnable> changes = List.of(
                () -> admin.resolve(TX, BRANCH, Decision.COMMIT, "why"),
                () -> admin.close(TX, "why"),
                () -> admin.hold("accounts", true, "why"),
                () -> admin.exclude("accounts", true, "why"));
        for (Runnable change : changes) {
            assertEquals(
                    ErrorCode.NOT_PERMITTED,
                    assertThrows(TrothException.class, change::run).code());
        }
        assertEquals(List.of(), inbox.events());
    }

    @Test
    void eachChangeIsTheOneThatWasAskedFor() throws Exception {
        serve(request -> answer(Outcome.COMMITTED), new PeerAddress());
        admin.hold("accounts", true, "why");
        admin.hold("accounts", false, "why");
        admin.exclude("accounts", true, "why");
        admin.exclude("accounts", false, "why");
        assertEquals(
                List.of(
                        new Event.ResourceHeld("accounts", true),
                        new Event.ResourceHeld("accounts", false),
                        new Event.ResourceExcluded("accounts", true),
                        new Event.ResourceExcluded("accounts", false)),
                inbox.events());
    }

    @Test
    void aForcedDecisionWhoseLeaderWentIsUnknown() throws Exception {
        serve(request -> answer(Outcome.NOT_LEADER), new PeerAddress());
        TrothException thrown =
                assertThrows(TrothException.class, () -> admin.resolve(TX, BRANCH, Decision.COMMIT, "why"));
        assertEquals(ErrorCode.OUTCOME_UNKNOWN, thrown.code());
    }

    @Test
    void aListIsNoLongerThanOneMessageMayBe() throws Exception {
        serve(request -> answer(Outcome.COMMITTED));
        EpochId epoch = TX.epoch();
        List<LogRecord.YesBranch> branches = LongStream.rangeClosed(1, 256)
                .mapToObj(counter -> new LogRecord.YesBranch(new BranchId(5, counter), "r".repeat(255), null))
                .toList();
        var unused = inbox.look(machine -> {
            machine.apply(new LogEntry(1, new LogRecord.Epoch(epoch)));
            for (long sequence = 1; sequence <= Listing.LIMIT; sequence++) {
                GlobalTxId tx = new GlobalTxId(0, epoch, 1, sequence);
                machine.apply(new LogEntry(1, new LogRecord.Commit(tx, branches)));
            }
            return true;
        });
        Listing<TransactionView> list = admin.transactions(0);
        assertTrue(list.truncated());
        assertEquals(256, list.items().get(0).branches().size());
        Listing<InDoubtView> inDoubt = admin.inDoubt(Listing.LIMIT_MAX);
        assertEquals(Listing.LIMIT_MAX, inDoubt.items().size());
    }
}
