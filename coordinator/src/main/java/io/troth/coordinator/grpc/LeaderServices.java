package io.troth.coordinator.grpc;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.grpc.HandlerRegistry;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.StatusRuntimeException;
import io.troth.core.ErrorCode;
import io.troth.core.Reason;
import io.troth.proto.v1.AdminServiceGrpc;
import io.troth.proto.v1.AgentServiceGrpc;
import io.troth.proto.v1.ClientServiceGrpc;
import io.troth.proto.v1.TransactionServiceGrpc;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The services that only a leader has. While this coordinator leads they are those of its leadership; while it does not,
 * every call is refused, with the address of the leader when that is known. While it begins to lead, the streams of
 * clients and agents wait: they would only come back, and the first ones to be served are those that prepared branches
 * hang on. Thread-safe.
 */
final class LeaderServices extends HandlerRegistry {

    private final EdgeListener listener;
    private final EventLoops loops;
    private final Map<String, ServerMethodDefinition<?, ?>> refusing = new HashMap<>();
    private final List<ServerServiceDefinition> refusingServices;

    @GuardedBy("this")
    private final Set<WaitingCall<?, ?>> waiting = new LinkedHashSet<>();

    /** Those of the leadership; null while there is none. */
    private volatile @Nullable Map<String, ServerMethodDefinition<?, ?>> serving;

    private volatile Redirect redirect = Redirect.nowhere(Reason.of(ErrorCode.NOT_READY));

    LeaderServices(EdgeListener listener, EventLoops loops, WireLimits limits) {
        this.listener = listener;
        this.loops = loops;
        refusingServices = List.of(
                RawMethods.calls(
                        ClientServiceGrpc.getServiceDescriptor(),
                        ClientServiceGrpc.getClientStreamMethod(),
                        limits,
                        this::waitOrRefuse),
                RawMethods.calls(
                        AgentServiceGrpc.getServiceDescriptor(),
                        AgentServiceGrpc.getAgentStreamMethod(),
                        limits,
                        this::waitOrRefuse),
                refusing(TransactionServiceGrpc.getServiceDescriptor()),
                refusing(AdminServiceGrpc.getServiceDescriptor()));
        refusingServices.forEach(service -> addTo(refusing, service));
    }

    private ServerServiceDefinition refusing(ServiceDescriptor service) {
        ServerServiceDefinition.Builder definition = ServerServiceDefinition.builder(service);
        for (MethodDescriptor<?, ?> method : service.getMethods()) {
            addRefusing(definition, method);
        }
        return definition.build();
    }

    private <Q, R> void addRefusing(ServerServiceDefinition.Builder service, MethodDescriptor<Q, R> method) {
        service.addMethod(method, (call, headers) -> {
            refuse(call);
            return new ServerCall.Listener<>() {};
        });
    }

    private <Q, R> ServerCall.Listener<Q> waitOrRefuse(ServerCall<Q, R> call, Metadata headers) {
        WaitingCall<Q, R> waits = new WaitingCall<>(call, headers, loops.current(), this::waitsNoMore);
        synchronized (this) {
            Map<String, ServerMethodDefinition<?, ?>> now = serving;
            if (now != null) {
                serve(waits, now);
                return waits;
            }
            if (redirect.soon()) {
                waiting.add(waits);
                return waits;
            }
        }
        refuse(call);
        return new ServerCall.Listener<>() {};
    }

    private synchronized void waitsNoMore(WaitingCall<?, ?> call) {
        waiting.remove(call);
    }

    // The two sides of a name are made by RawMethods from the same method.
    @SuppressWarnings("unchecked")
    private static <Q, R> void serve(WaitingCall<Q, R> call, Map<String, ServerMethodDefinition<?, ?>> methods) {
        call.serve(((ServerMethodDefinition<Q, R>) Objects.requireNonNull(methods.get(call.method())))
                .getServerCallHandler());
    }

    private void refuse(ServerCall<?, ?> call) {
        Redirect now = redirect;
        listener.refused(now.reason());
        StatusRuntimeException why = Statuses.exception(now);
        Metadata trailers = why.getTrailers();
        call.close(why.getStatus(), trailers == null ? new Metadata() : trailers);
    }

    private static void addTo(Map<String, ServerMethodDefinition<?, ?>> methods, ServerServiceDefinition service) {
        for (ServerMethodDefinition<?, ?> method : service.getMethods()) {
            methods.put(method.getMethodDescriptor().getFullMethodName(), method);
        }
    }

    /** From now on calls are served by these, and those that wait too. */
    synchronized void serve(List<ServerServiceDefinition> services) {
        Map<String, ServerMethodDefinition<?, ?>> methods = new HashMap<>();
        services.forEach(service -> addTo(methods, service));
        serving = Map.copyOf(methods);
        waiting.forEach(call -> serve(call, methods));
        waiting.clear();
    }

    /** From now on new calls are refused, and those that wait too, or may wait. */
    synchronized void refuse(Redirect instead) {
        redirect = instead;
        serving = null;
        if (!instead.soon()) {
            waiting.forEach(call -> call.end(this::refuse));
            waiting.clear();
        }
    }

    @Override
    public List<ServerServiceDefinition> getServices() {
        return refusingServices;
    }

    @Override
    public @Nullable ServerMethodDefinition<?, ?> lookupMethod(String method, @Nullable String authority) {
        Map<String, ServerMethodDefinition<?, ?>> now = serving;
        return (now == null ? refusing : now).get(method);
    }
}
