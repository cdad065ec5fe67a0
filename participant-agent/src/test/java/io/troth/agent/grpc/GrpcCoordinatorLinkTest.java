package io.troth.agent.grpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.troth.agent.engine.LinkListener;
import io.troth.client.grpc.Endpoint;
import io.troth.client.grpc.SignsOfLife;
import io.troth.client.grpc.TlsFiles;
import io.troth.core.BranchId;
import io.troth.core.ClusterId;
import io.troth.core.EpochId;
import io.troth.core.ErrorCode;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.coordinator.AgentHello;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.participant.CoordinatorMessage;
import io.troth.proto.v1.AgentEntry;
import io.troth.proto.v1.AgentEntry.EntryCase;
import io.troth.proto.v1.AgentOrder;
import io.troth.proto.v1.AgentStreamResponse;
import io.troth.proto.v1.EnlistRefused;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/**
 * Goal: the agent's stream says who it is, carries entries in order and in batches, dials again with growing pauses, and
 * delivers nothing of a broken stream. Method: a small coordinator over real gRPC on this machine.
 */
class GrpcCoordinatorLinkTest {

    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final long PAUSE_MIN = 15;
    private static final BranchId BRANCH = new BranchId(0xa, 1);

    private final SimulatedAgentService coordinator = SimulatedAgentService.start();
    private final RecordingListener heard = new RecordingListener();
    private final GrpcCoordinatorLink link = new GrpcCoordinatorLink(
            new LinkSettings(List.of(Endpoint.parse(coordinator.endpoint())), null, PAUSE_MIN, 20 * PAUSE_MIN, 0));

    @AfterEach
    void close() throws InterruptedException {
        link.close();
        link.awaitClosed(LIMIT);
        coordinator.close();
    }

    private CoordinatorMessage enlist(long sequence) {
        GlobalTxId tx = coordinator.transaction(sequence);
        return new CoordinatorMessage.Enlist(tx, new SessionKey(1, 2), BRANCH, "accounts", 1_000);
    }

    @Test
    void saysWhoItIsAndHearsWhoLeads() {
        link.start(heard);
        var hello = coordinator.awaitHello();
        assertEquals(0xa, hello.getInstance());
        assertEquals("accounts", hello.getResources(0).getName());
        assertEquals("localhost:7710", hello.getResources(0).getSqlAddress());
        assertFalse(hello.hasHighestEpoch());
        assertEquals(0, hello.getClusterId());
        LinkListener.Batch batch = heard.awaitBatch();
        assertEquals(coordinator.epoch(), batch.epoch());
        assertEquals(SimulatedAgentService.CLUSTER, batch.cluster());
        assertEquals(List.of(new AgentMessage.Welcome(coordinator.epoch())), batch.messages());
    }

    @Test
    void saysWhatItHasHeardWhenItComesBack() {
        link.start(heard);
        heard.awaitBatch();
        heard.highest = coordinator.epoch();
        heard.cluster = SimulatedAgentService.CLUSTER;
        coordinator.awaitHello();
        coordinator.cut();
        var hello = coordinator.awaitHello();
        assertEquals(coordinator.epoch().number(), hello.getHighestEpoch().getNumber());
        assertEquals(17, hello.getHighestBatch());
        assertEquals(SimulatedAgentService.CLUSTER.value(), hello.getClusterId());
    }

    @Test
    void keepsTheOrderAndSendsInOneBatchWhatIsReady() throws InterruptedException {
        link.start(heard);
        heard.awaitBatch();
        coordinator.awaitHello();
        // The stream's own thread is held up, so that all entries are ready when it gets to them.
        CountDownLatch hold = new CountDownLatch(1);
        heard.held.set(hold);
        coordinator.say();
        assertTrue(heard.holding.await(LIMIT.toSeconds(), TimeUnit.SECONDS));
        int before = coordinator.batches().size();
        for (int i = 1; i <= 500; i++) {
            link.send(enlist(i));
        }
        hold.countDown();
        for (int i = 1; i <= 500; i++) {
            assertEquals(i, coordinator.awaitEnlist().getTx().getSequence());
        }
        assertEquals(before + 1, coordinator.batches().size());
    }

    @Test
    void splitsWhatIsMoreThanABatch() throws InterruptedException {
        link.start(heard);
        heard.awaitBatch();
        CountDownLatch hold = new CountDownLatch(1);
        heard.held.set(hold);
        coordinator.say();
        assertTrue(heard.holding.await(LIMIT.toSeconds(), TimeUnit.SECONDS));
        for (int i = 1; i <= 3_000; i++) {
            link.send(enlist(i));
        }
        hold.countDown();
        for (int i = 1; i <= 3_000; i++) {
            assertEquals(i, coordinator.awaitEnlist().getTx().getSequence());
        }
        assertTrue(coordinator.batches().stream().allMatch(batch -> batch.getEntriesCount() <= 1_024));
    }

    @Test
    void deliversNothingOfAStreamThatHasBroken() throws InterruptedException {
        link.start(heard);
        heard.awaitBatch();
        coordinator.awaitHello();
        coordinator.welcomes(false);
        CountDownLatch hold = new CountDownLatch(1);
        heard.held.set(hold);
        coordinator.say();
        assertTrue(heard.holding.await(LIMIT.toSeconds(), TimeUnit.SECONDS));
        // These are on their way when the agent ends the stream.
        for (int i = 0; i < 10; i++) {
            coordinator.say();
        }
        link.refuse(Reason.of(ErrorCode.WRONG_CLUSTER));
        hold.countDown();
        assertEquals(ErrorCode.STREAM_BROKEN, heard.awaitBroken().code());
        coordinator.awaitHello();
        List<String> order = heard.order();
        assertEquals(List.of("broken"), order.subList(order.indexOf("broken"), order.size()));
    }

    @Test
    void cutsAStreamThatCarriesNonsense() {
        link.start(heard);
        heard.awaitBatch();
        coordinator.awaitHello();
        coordinator.say(AgentOrder.newBuilder()
                .setPrepare(io.troth.proto.v1.Prepare.newBuilder().setCalls(0))
                .build());
        assertTrue(heard.awaitBroken().detail().contains("nonsense"));
        assertNotNull(coordinator.awaitHello());
    }

    @Test
    void cutsAStreamWithABatchThatIsTooLarge() {
        link.start(heard);
        heard.awaitBatch();
        coordinator.awaitHello();
        String detail = "x".repeat(5 * 1024 * 1024);
        coordinator.say(AgentOrder.newBuilder()
                .setEnlistRefused(EnlistRefused.newBuilder()
                        .setReason(io.troth.proto.v1.Reason.newBuilder().setDetail(detail)))
                .build());
        assertTrue(heard.awaitBroken().detail().contains("RESOURCE_EXHAUSTED"));
        assertNotNull(coordinator.awaitHello());
    }

    @Test
    void takesNoEpochFromACoordinatorThatIsNotReady() {
        coordinator.welcomes(false);
        link.start(heard);
        coordinator.awaitHello();
        coordinator.say(AgentStreamResponse.getDefaultInstance());
        LinkListener.Batch batch = heard.awaitBatch();
        assertEquals(null, batch.epoch());
        assertEquals(List.of(), batch.messages());
    }

    @Test
    void dialsUntilSomebodyListens() {
        coordinator.stop();
        link.start(heard);
        Awaitility.await().atMost(LIMIT).until(() -> link.problem().contains("UNAVAILABLE"));
        coordinator.listen();
        assertNotNull(coordinator.awaitHello());
        assertNotNull(heard.awaitBatch());
    }

    /** As in an application that was packed without gRPC's name resolvers. */
    @Test
    void goesOnWhereNoChannelCanBeMade() throws InterruptedException {
        Endpoint impossible = new Endpoint("no_host", 7700);
        GrpcCoordinatorLink several = new GrpcCoordinatorLink(new LinkSettings(
                List.of(impossible, Endpoint.parse(coordinator.endpoint())), null, PAUSE_MIN, 20 * PAUSE_MIN, 0));
        several.start(heard);
        assertNotNull(heard.awaitBatch());
        assertTrue(several.problem().startsWith(impossible + ": "), several.problem());
        several.close();
        several.awaitClosed(LIMIT);
    }

    @Test
    void leavesAPeerThatTakesTheConnectionAndSaysNothing() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            GrpcCoordinatorLink patient = new GrpcCoordinatorLink(
                    new LinkSettings(
                            List.of(
                                    new Endpoint("localhost", silent.getLocalPort()),
                                    Endpoint.parse(coordinator.endpoint())),
                            null,
                            PAUSE_MIN,
                            20 * PAUSE_MIN,
                            0),
                    200,
                    SignsOfLife.LOOK);
            patient.start(heard);
            assertEquals(coordinator.epoch(), heard.awaitBatch().epoch());
            patient.close();
            patient.awaitClosed(LIMIT);
        }
    }

    @Test
    void leavesACoordinatorThatDoesNotWelcomeItWhenThereIsAnother() throws InterruptedException {
        coordinator.welcomes(false);
        try (SimulatedAgentService other = SimulatedAgentService.start()) {
            List<Endpoint> endpoints =
                    List.of(Endpoint.parse(coordinator.endpoint()), Endpoint.parse(other.endpoint()));
            GrpcCoordinatorLink several =
                    new GrpcCoordinatorLink(new LinkSettings(endpoints, null, 1, 20, 0), 200, SignsOfLife.LOOK);
            other.welcomes(false);
            several.start(heard);
            // A machine may be too slow for the first attempts to get as far.
            String refused = coordinator.endpoint() + ": " + ErrorCode.NO_COORDINATOR + ": no welcome within 200 ms";
            Awaitility.await()
                    .atMost(LIMIT)
                    .until(() -> heard.awaitBroken().detail().equals(refused));
            other.welcomes(true);
            assertNotNull(heard.awaitBatch());
            several.close();
            several.awaitClosed(LIMIT);
        }
    }

    @Test
    void leavesACoordinatorThatStandsStillWhenThereIsAnother() throws InterruptedException {
        try (SimulatedAgentService other = SimulatedAgentService.start()) {
            List<Endpoint> endpoints =
                    List.of(Endpoint.parse(coordinator.endpoint()), Endpoint.parse(other.endpoint()));
            GrpcCoordinatorLink several = new GrpcCoordinatorLink(
                    new LinkSettings(endpoints, null, 1, 20, 0), LIMIT.toMillis(), Duration.ofMillis(50));
            several.start(heard);
            coordinator.awaitHello();
            heard.awaitBatch();
            coordinator.standStill();
            assertTrue(heard.awaitBroken().detail().contains("no sign of life"));
            other.awaitHello();
            several.close();
            several.awaitClosed(LIMIT);
        }
    }

    @Test
    void goesStraightToTheLeaderThatItIsTold() throws InterruptedException {
        try (SimulatedAgentService bystander = SimulatedAgentService.start();
                SimulatedAgentService leader = SimulatedAgentService.start()) {
            List<Endpoint> endpoints = List.of(
                    Endpoint.parse(coordinator.endpoint()),
                    Endpoint.parse(bystander.endpoint()),
                    Endpoint.parse(leader.endpoint()));
            GrpcCoordinatorLink several = new GrpcCoordinatorLink(new LinkSettings(endpoints, null, 1, 20, 0));
            ListAppender<ILoggingEvent> lines = new ListAppender<>();
            lines.list = new CopyOnWriteArrayList<>();
            lines.start();
            Logger log = (Logger) LoggerFactory.getLogger(GrpcCoordinatorLink.class);
            log.setLevel(Level.WARN);
            log.addAppender(lines);
            try {
                several.start(heard);
                coordinator.awaitHello();
                coordinator.redirect(leader.endpoint());
                leader.awaitHello();
                assertEquals(List.of(), bystander.openedNanos());
                assertEquals(List.of(), lines.list, "of three endpoints two are followers: nothing to warn of");
                leader.redirect("stranger.example:7700");
                coordinator.awaitHello();
                assertEquals(1, lines.list.size(), lines.list::toString);
            } finally {
                log.detachAppender(lines);
                log.setLevel(null);
            }
            several.close();
            several.awaitClosed(LIMIT);
        }
    }

    @Test
    void saysOnceThatThereIsACopyOfItsProcess() {
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        lines.list = new CopyOnWriteArrayList<>();
        lines.start();
        Logger log = (Logger) LoggerFactory.getLogger(GrpcCoordinatorLink.class);
        log.setLevel(Level.ERROR);
        log.addAppender(lines);
        try {
            link.start(heard);
            Runnable replace = coordinator::replace;
            List<Integer> saidBefore = new ArrayList<>();
            for (Runnable each : List.of(replace, coordinator::cut, replace, replace, replace, replace)) {
                coordinator.awaitHello();
                saidBefore.add(lines.list.size());
                each.run();
            }
            coordinator.awaitHello();
            assertEquals(List.of(0, 0, 0, 0, 1, 1), saidBefore);
            assertEquals(1, lines.list.size(), lines.list::toString);
        } finally {
            log.detachAppender(lines);
            log.setLevel(null);
        }
    }

    @Test
    void drawsEachPauseAndNeverLessThanTheShortest() {
        coordinator.welcomes(false);
        link.start(heard);
        List<Long> pauses = pausesOf(6, coordinator::cut);
        assertTrue(pauses.stream().allMatch(pause -> pause >= PAUSE_MIN), pauses::toString);
        assertTrue(pauses.stream().distinct().count() > 1, pauses::toString);
    }

    @Test
    void asksAPeerThatItRefusesLessAndLessOften() {
        heard.refuseAt = link;
        link.start(heard);
        List<Long> pauses = pausesOf(14, () -> {});
        // With pauses that started anew at each welcome none but a rare one would be longer than twice the shortest.
        long longer = pauses.stream().filter(pause -> pause > 3 * PAUSE_MIN).count();
        assertTrue(longer >= 3, pauses::toString);
    }

    /** The milliseconds between so many streams. */
    private List<Long> pausesOf(int streams, Runnable end) {
        for (int i = 0; i < streams; i++) {
            coordinator.awaitHello();
            end.run();
        }
        List<Long> opened = coordinator.openedNanos();
        List<Long> pauses = new ArrayList<>();
        for (int i = 1; i < streams; i++) {
            pauses.add(TimeUnit.NANOSECONDS.toMillis(opened.get(i) - opened.get(i - 1)));
        }
        return pauses;
    }

    @Test
    void dropsWhatIsSaidWithoutAStream() {
        link.send(enlist(1));
        link.start(heard);
        heard.awaitBatch();
        link.send(enlist(2));
        assertEquals(2, coordinator.awaitEnlist().getTx().getSequence());
    }

    @Test
    void sendsWhatItHasBeforeItCloses() throws InterruptedException {
        link.start(heard);
        heard.awaitBatch();
        coordinator.awaitHello();
        link.send(enlist(1));
        link.close();
        assertEquals(1, coordinator.await(EntryCase.ENLIST).getEnlist().getTx().getSequence());
        assertEquals(ErrorCode.DRAINING, heard.awaitBroken().code());
        link.awaitClosed(LIMIT);
        assertEquals(List.<AgentEntry>of(), coordinator.unread());
    }

    @Test
    void readsItsTlsFilesBeforeItDials(@TempDir Path directory) throws Exception {
        Path missing = directory.resolve("none.pem");
        List<Endpoint> endpoints = List.of(Endpoint.parse("localhost:1"));
        LinkSettings settings = LinkSettings.of(endpoints, new TlsFiles(missing, null, null));
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> new GrpcCoordinatorLink(settings));
        assertTrue(refused.getMessage().contains("none.pem"));
        Path garbage = Files.writeString(directory.resolve("garbage.pem"), "no certificate");
        LinkSettings others = LinkSettings.of(endpoints, new TlsFiles(garbage, null, null));
        assertThrows(IllegalArgumentException.class, () -> new GrpcCoordinatorLink(others));
    }

    /** Remembers what the link tells, in order, and can hold its thread. */
    private static final class RecordingListener implements LinkListener {

        final AtomicReference<@Nullable CountDownLatch> held = new AtomicReference<>();
        final CountDownLatch holding = new CountDownLatch(1);
        volatile @Nullable EpochId highest;
        volatile @Nullable ClusterId cluster;
        volatile @Nullable GrpcCoordinatorLink refuseAt;
        private final LinkedBlockingQueue<Batch> batches = new LinkedBlockingQueue<>();
        private final LinkedBlockingQueue<Reason> broken = new LinkedBlockingQueue<>();
        private final List<String> order = new ArrayList<>();

        @Override
        public AgentHello hello() {
            return new AgentHello(
                    0xa,
                    highest,
                    17,
                    List.of(new AgentHello.AgentResource(
                            "accounts", "postgresql", "system=1", "troth", "localhost:7710")));
        }

        @Override
        public @Nullable ClusterId cluster() {
            return cluster;
        }

        @Override
        public void received(Batch batch) {
            synchronized (order) {
                order.add("batch");
            }
            batches.add(batch);
            GrpcCoordinatorLink refusing = refuseAt;
            if (refusing != null && batch.cluster() != null) {
                refusing.refuse(Reason.of(ErrorCode.WRONG_CLUSTER));
            }
            CountDownLatch latch = held.getAndSet(null);
            if (latch != null) {
                holding.countDown();
                try {
                    latch.await(LIMIT.toSeconds(), TimeUnit.SECONDS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }

        @Override
        public void broken(Reason reason) {
            synchronized (order) {
                order.add("broken");
            }
            broken.add(reason);
        }

        List<String> order() {
            synchronized (order) {
                return List.copyOf(order);
            }
        }

        Batch awaitBatch() {
            return await(batches);
        }

        Reason awaitBroken() {
            return await(broken);
        }

        private static <T> T await(LinkedBlockingQueue<T> queue) {
            try {
                T next = queue.poll(LIMIT.toSeconds(), TimeUnit.SECONDS);
                if (next == null) {
                    throw new AssertionError("nothing came");
                }
                return next;
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }
}
