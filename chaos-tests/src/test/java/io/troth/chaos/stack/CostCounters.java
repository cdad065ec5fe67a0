package io.troth.chaos.stack;

import com.google.protobuf.Message;
import io.grpc.ForwardingServerCall;
import io.grpc.ForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.troth.coordinator.engine.DecisionLog;
import io.troth.coordinator.engine.EngineInbox;
import io.troth.coordinator.engine.LogListener;
import io.troth.coordinator.engine.Recovered;
import io.troth.coordinator.engine.StreamGateway;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.coordinator.AgentMessage;
import io.troth.core.coordinator.ClientMessage;
import io.troth.core.coordinator.CoordinatorStateMachine;
import io.troth.core.coordinator.Event;
import io.troth.core.coordinator.LogEntry;
import io.troth.core.coordinator.LogRecord;
import io.troth.core.coordinator.StreamId;
import io.troth.proto.v1.AgentServiceGrpc;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Counters to be put between the parts of a coordinator. What is counted is kept under the transactions that it names:
 * what is said beside them, at some time or other, does not disturb the figures.
 */
final class CostCounters {

    /** One message, or one hand-over, which may be about several transactions. */
    private record Counted(Cost cost, Set<GlobalTxId> names) {}

    private final Map<GlobalTxId, Map<String, Integer>> entries = new ConcurrentHashMap<>();
    private final Queue<Counted> counted = new ConcurrentLinkedQueue<>();
    private volatile @Nullable Thread engineThread;

    /** On the thread of the streams: what the message that is being read names. */
    private final ThreadLocal<Set<GlobalTxId>> reading = ThreadLocal.withInitial(HashSet::new);

    /** How many entries of each kind named the transaction so far. */
    Map<String, Integer> entries(GlobalTxId tx) {
        Map<String, Integer> kinds = entries.getOrDefault(tx, Map.of());
        synchronized (kinds) {
            return new TreeMap<>(kinds);
        }
    }

    /** How often that happened so far for any of the transactions: once what was for several of them. */
    int count(Cost cost, GlobalTxId... txs) {
        List<GlobalTxId> asked = Arrays.asList(txs);
        return (int) counted.stream()
                .filter(one -> one.cost() == cost && asked.stream().anyMatch(one.names()::contains))
                .count();
    }

    /** Sees each message of gRPC. */
    ServerInterceptor messages() {
        return new Messages();
    }

    /** Sees what streams hand to the engine. */
    EngineInbox inbox(EngineInbox target) {
        return new Inbox(target);
    }

    /** Sees what the engine hands to streams. */
    StreamGateway gateway(StreamGateway target) {
        return new Gateway(target);
    }

    /** Sees what the engine and the log hand to each other. */
    DecisionLog log(DecisionLog target) {
        return new Log(target);
    }

    private void count(Cost cost, Set<GlobalTxId> names) {
        if (!names.isEmpty()) {
            counted.add(new Counted(cost, Set.copyOf(names)));
        }
    }

    private void countEntry(Record entry) {
        for (GlobalTxId tx : names(List.of(entry))) {
            Map<String, Integer> kinds = entries.computeIfAbsent(tx, key -> new TreeMap<>());
            synchronized (kinds) {
                kinds.merge(entry.getClass().getSimpleName(), 1, Integer::sum);
            }
        }
    }

    private boolean isEngineThread() {
        return Thread.currentThread() == engineThread;
    }

    /** The transactions that these records are about; some are about none: a hello, a session, a scan. */
    private static Set<GlobalTxId> names(Collection<?> records) {
        Set<GlobalTxId> names = new HashSet<>();
        for (Object entry : records) {
            for (RecordComponent component : entry.getClass().getRecordComponents()) {
                if (component.getType() == GlobalTxId.class) {
                    names.add((GlobalTxId) value(entry, component));
                }
            }
        }
        return names;
    }

    private static Object value(Object entry, RecordComponent component) {
        try {
            return component.getAccessor().invoke(entry);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The same of a message on the wire, however deep they are named. */
    private static Set<GlobalTxId> namesOnWire(Message message) {
        Set<GlobalTxId> names = new HashSet<>();
        for (Object value : message.getAllFields().values()) {
            for (Object part : value instanceof List<?> parts ? parts : List.of(value)) {
                if (part instanceof io.troth.proto.v1.GlobalTxId tx) {
                    EpochId epoch = new EpochId(tx.getEpoch(), tx.getNonce());
                    names.add(new GlobalTxId(tx.getShard(), epoch, tx.getSession(), tx.getSequence()));
                } else if (part instanceof Message inner) {
                    names.addAll(namesOnWire(inner));
                }
            }
        }
        return names;
    }

    /**
     * Counts messages as gRPC reads and writes them. One that is read is not parsed yet; what it names is told by the
     * inbox, which gets its entries before the reading returns.
     */
    private final class Messages implements ServerInterceptor {

        @Override
        public <Q, R> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
            boolean agent = AgentServiceGrpc.getAgentStreamMethod()
                    .getFullMethodName()
                    .equals(call.getMethodDescriptor().getFullMethodName());
            ServerCall<Q, R> written = new ForwardingServerCall.SimpleForwardingServerCall<>(call) {
                @Override
                public void sendMessage(R message) {
                    Set<GlobalTxId> names = namesOnWire((Message) message);
                    count(agent ? Cost.MESSAGES_TO_AGENTS : Cost.MESSAGES_TO_CLIENTS, names);
                    if (!isEngineThread()) {
                        count(Cost.FROM_ENGINE_TO_STREAM, names);
                    }
                    super.sendMessage(message);
                }
            };
            return new ForwardingServerCallListener.SimpleForwardingServerCallListener<>(
                    next.startCall(written, headers)) {
                @Override
                public void onMessage(Q message) {
                    Set<GlobalTxId> names = reading.get();
                    names.clear();
                    super.onMessage(message);
                    count(agent ? Cost.MESSAGES_FROM_AGENTS : Cost.MESSAGES_FROM_CLIENTS, names);
                }
            };
        }
    }

    private final class Inbox implements EngineInbox {

        private final EngineInbox target;

        Inbox(EngineInbox target) {
            this.target = target;
        }

        @Override
        public StreamId newStream() {
            return target.newStream();
        }

        @Override
        public SessionKey newSessionKey() {
            return target.newSessionKey();
        }

        @Override
        public void submit(List<Event> events, Runnable stepped) {
            events.forEach(event -> countEntry((Record) event));
            Set<GlobalTxId> names = names(events);
            reading.get().addAll(names);
            if (!isEngineThread()) {
                count(Cost.FROM_STREAM_TO_ENGINE, names);
            }
            target.submit(events, stepped);
        }

        @Override
        public <T> CompletableFuture<T> look(Function<CoordinatorStateMachine, T> look) {
            return target.look(look);
        }
    }

    private final class Gateway implements StreamGateway {

        private final StreamGateway target;

        Gateway(StreamGateway target) {
            this.target = target;
        }

        @Override
        public void sendToAgent(StreamId stream, AgentMessage message) {
            countEntry((Record) message);
            target.sendToAgent(stream, message);
        }

        @Override
        public void sendToClient(StreamId stream, ClientMessage message) {
            countEntry((Record) message);
            target.sendToClient(stream, message);
        }

        @Override
        public void close(StreamId stream, Reason reason) {
            target.close(stream, reason);
        }

        @Override
        public void flush(@Nullable EpochId epoch, long durableBatch) {
            engineThread = Thread.currentThread();
            target.flush(epoch, durableBatch);
        }
    }

    private final class Log implements DecisionLog {

        private final DecisionLog target;

        Log(DecisionLog target) {
            this.target = target;
        }

        @Override
        public Recovered recover(Consumer<LogEntry> applier) {
            return target.recover(applier);
        }

        @Override
        public void start(long epochNumber, LogListener listener) {
            target.start(epochNumber, new AppliedCounter(listener));
        }

        @Override
        public void append(LogRecord record, boolean forced) {
            count(Cost.TO_THE_LOG, names(List.of(record)));
            target.append(record, forced);
        }

        @Override
        public LogRecord.@Nullable Commit find(GlobalTxId tx) {
            return target.find(tx);
        }

        @Override
        public void purge(LogRecord.Horizon horizon) {
            target.purge(horizon);
        }

        @Override
        public void close() {
            target.close();
        }
    }

    private final class AppliedCounter implements LogListener {

        private final LogListener target;

        AppliedCounter(LogListener target) {
            this.target = target;
        }

        @Override
        public void applied(List<LogEntry> entries, long durableBatch) {
            count(
                    Cost.FROM_THE_LOG,
                    names(entries.stream().map(LogEntry::record).toList()));
            target.applied(entries, durableBatch);
        }

        @Override
        public void failed(Throwable cause) {
            target.failed(cause);
        }

        @Override
        public void stalled(boolean stalled) {
            target.stalled(stalled);
        }

        @Override
        public void free(boolean aboveFloor, long freeBytes) {
            target.free(aboveFloor, freeBytes);
        }
    }
}
