package io.troth.coordinator.log.raft;

import io.troth.core.ClusterId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a member says of itself to whoever asks at its address.
 *
 * @param isNew true when it has no entry and no configuration: it has never promised anything
 * @param members the configuration as it knows it; empty when it knows none
 */
record Introduction(ClusterId cluster, MemberId id, boolean isNew, List<MemberId> members) {

    Introduction {
        members = List.copyOf(members);
    }

    /** Lines of {@code key=value}. */
    String encode() {
        return "cluster=" + cluster + "\nid=" + id + "\nnew=" + isNew + "\nmembers="
                + members.stream().map(MemberId::toString).collect(Collectors.joining(","));
    }

    /**
     * The other way round.
     *
     * @throws IllegalArgumentException when the text is something else
     */
    static Introduction decode(String text) {
        Map<String, String> values = new LinkedHashMap<>();
        for (String line : text.lines().toList()) {
            int equals = line.indexOf('=');
            if (equals > 0) {
                values.put(line.substring(0, equals), line.substring(equals + 1));
            }
        }
        return new Introduction(
                ClusterId.parse(values.getOrDefault("cluster", "")),
                MemberId.parse(values.getOrDefault("id", "")),
                Boolean.parseBoolean(values.get("new")),
                MemberFile.ids(values.getOrDefault("members", "")));
    }
}
