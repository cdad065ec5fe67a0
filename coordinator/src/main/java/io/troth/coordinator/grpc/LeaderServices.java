package io.troth.coordinator.grpc;

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
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The services that only a leader has. While this coordinator leads they are those of its leadership; while it does not,
 * every call is refused, with the address of the leader when that is known. Thread-safe.
 */
final class LeaderServices extends HandlerRegistry {

    private static final List<ServiceDescriptor> SERVICES = List.of(
            ClientServiceGrpc.getServiceDescriptor(),
            AgentServiceGrpc.getServiceDescriptor(),
            TransactionServiceGrpc.getServiceDescriptor(),
            AdminServiceGrpc.getServiceDescriptor());

    private final EdgeListener listener;
    private final Map<String, ServerMethodDefinition<?, ?>> refusing = new HashMap<>();
    private final List<ServerServiceDefinition> refusingServices;

    /** Those of the leadership; null while there is none. */
    private volatile @Nullable Map<String, ServerMethodDefinition<?, ?>> serving;

    private volatile Redirect redirect = Redirect.nowhere(Reason.of(ErrorCode.NOT_READY));

    LeaderServices(EdgeListener listener) {
        this.listener = listener;
        refusingServices = SERVICES.stream().map(this::refusing).toList();
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

    /** From now on calls are served by these. */
    void serve(List<ServerServiceDefinition> services) {
        Map<String, ServerMethodDefinition<?, ?>> methods = new HashMap<>();
        services.forEach(service -> addTo(methods, service));
        serving = Map.copyOf(methods);
    }

    /** From now on new calls are refused. */
    void refuse(Redirect instead) {
        redirect = instead;
        serving = null;
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
