package io.troth.core.participant;

import io.troth.core.BranchId;
import io.troth.core.EpochId;
import io.troth.core.GlobalTxId;
import io.troth.core.Reason;
import io.troth.core.SessionKey;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What the agent's machine says, a line each, for the scenario scripts: every part of every record. */
final class AgentText {

    private AgentText() {}

    static String of(@Nullable Object value) {
        if (value == null) {
            return "-";
        } else if (value instanceof AgentAction.Send send) {
            return "-> " + of(send.message());
        } else if (value instanceof AgentAction.Notify notify) {
            return "* " + of(notify.notice());
        } else if (value instanceof EpochId epoch) {
            return Long.toString(epoch.number());
        } else if (value instanceof GlobalTxId tx) {
            String shard = tx.shard() == 0 ? "" : tx.shard() + ":";
            return shard + tx.epoch().number() + "." + tx.session() + "." + tx.sequence();
        } else if (value instanceof BranchId branch) {
            return (char) branch.instance() + Long.toString(branch.counter());
        } else if (value instanceof Reason reason) {
            return reason.code() + (reason.detail().isEmpty() ? "" : " (" + reason.detail() + ")");
        } else if (value instanceof SessionKey key) {
            return "key=" + key.low();
        } else if (value instanceof List<?> list) {
            return list.stream().map(AgentText::of).collect(Collectors.joining(", ", "[", "]"));
        } else if (value instanceof Record record && record.getClass().getPackage() == AgentText.class.getPackage()) {
            return ofRecord(record);
        }
        return value.toString();
    }

    private static String ofRecord(Record record) {
        List<String> words = new ArrayList<>(List.of(record.getClass().getSimpleName()));
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            Object value = value(record, component);
            if (value instanceof Boolean flag) {
                words.add(flag ? component.getName() : "");
            } else {
                words.add(of(value));
            }
        }
        words.removeIf(String::isEmpty);
        return String.join(" ", words);
    }

    private static @Nullable Object value(Record record, RecordComponent component) {
        try {
            return component.getAccessor().invoke(record);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
