package io.troth.agent.server;

import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.troth.client.grpc.TrothStatus;
import io.troth.core.ClusterId;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import io.troth.core.TransactionContext;
import io.troth.proto.v1.ExecuteRequest;
import io.troth.proto.v1.SqlServiceGrpc;
import io.troth.proto.v1.SqlStatement;
import java.util.concurrent.TimeUnit;

/** Calls at an agent's SQL gateway under a transaction that nobody need have begun. */
final class SqlCalls {

    private static final Metadata.Key<String> CONTEXT =
            Metadata.Key.of(TransactionContext.HEADER, Metadata.ASCII_STRING_MARSHALLER);

    private SqlCalls() {}

    /** A statement that does nothing, on resource {@code stock}. The code of the refusal, "" when it was executed. */
    static String execute(ManagedChannel channel, ClusterId cluster, GlobalTxId tx, long call) {
        Metadata headers = new Metadata();
        headers.put(CONTEXT, new TransactionContext(cluster, tx, new SessionKey(1, 2), call, 60_000).encode());
        try {
            var unused = SqlServiceGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(60, TimeUnit.SECONDS)
                    .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
                    .execute(ExecuteRequest.newBuilder()
                            .setStatement(SqlStatement.newBuilder()
                                    .setResource("stock")
                                    .setSql("DO $$ BEGIN END $$"))
                            .build());
            return "";
        } catch (StatusRuntimeException refused) {
            Reason reason = TrothStatus.reasonOf(refused);
            return reason == null ? refused.toString() : reason.code().name();
        }
    }
}
