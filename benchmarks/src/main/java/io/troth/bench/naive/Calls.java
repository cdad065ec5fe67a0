package io.troth.bench.naive;

import com.google.protobuf.StringValue;
import io.grpc.BindableService;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ServerCalls;
import java.util.Map;
import java.util.function.UnaryOperator;

/** The calls of the two services. A request names the transaction, and what else there is, in words. */
final class Calls {

    static final MethodDescriptor<StringValue, StringValue> BEGIN = unary("naive.Coordinator/Begin");
    static final MethodDescriptor<StringValue, StringValue> ENLIST = unary("naive.Coordinator/Enlist");
    static final MethodDescriptor<StringValue, StringValue> COMMIT = unary("naive.Coordinator/Commit");

    static final MethodDescriptor<StringValue, StringValue> PREPARE = unary("naive.Participant/Prepare");
    static final MethodDescriptor<StringValue, StringValue> COMMIT_BRANCH = unary("naive.Participant/Commit");

    /** A stream that answers each message: {@code force} after a forced write, anything else at once. */
    static final MethodDescriptor<StringValue, StringValue> ECHO = method("floor.Echo/Talk", MethodType.BIDI_STREAMING);

    private Calls() {}

    private static MethodDescriptor<StringValue, StringValue> unary(String name) {
        return method(name, MethodType.UNARY);
    }

    private static MethodDescriptor<StringValue, StringValue> method(String name, MethodType type) {
        return MethodDescriptor.<StringValue, StringValue>newBuilder()
                .setType(type)
                .setFullMethodName(name)
                .setRequestMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
                .setResponseMarshaller(ProtoUtils.marshaller(StringValue.getDefaultInstance()))
                .build();
    }

    /** A service of unary calls, each answered with what the function makes of the request. */
    static BindableService service(
            String name, Map<MethodDescriptor<StringValue, StringValue>, UnaryOperator<String>> calls) {
        ServerServiceDefinition.Builder builder = ServerServiceDefinition.builder(name);
        calls.forEach((method, function) ->
                builder.addMethod(method, ServerCalls.asyncUnaryCall((request, responses) -> {
                    responses.onNext(StringValue.of(function.apply(request.getValue())));
                    responses.onCompleted();
                })));
        ServerServiceDefinition definition = builder.build();
        return () -> definition;
    }
}
