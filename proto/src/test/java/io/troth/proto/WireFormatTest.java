package io.troth.proto;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.DescriptorProtos.MethodDescriptorProto;
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Goal: what was once said on the wire keeps its number, type and name, because neighbouring versions talk to each other
 * and programs in other languages are generated from older files. Method: every field, value and call is compared with a
 * list; {@code -Dtroth.rewrite=true} adds what is new and takes nothing away. Who removes a field deletes its line by
 * hand, and reserves its number.
 */
class WireFormatTest {

    private static final Path LIST = Path.of("src/test/resources/wire-format.txt");

    @Test
    void whatIsOnTheWireStays() throws IOException {
        SortedSet<String> listed = new TreeSet<>(Files.readAllLines(LIST));
        SortedSet<String> now = now();
        if (Boolean.getBoolean("troth.rewrite")) {
            listed.addAll(now);
            Files.write(LIST, listed);
        }
        assertEquals(
                String.join("\n", listed),
                String.join("\n", now),
                "new lines are added with -Dtroth.rewrite=true; a line that is gone breaks who was built with it");
    }

    private static SortedSet<String> now() throws IOException {
        SortedSet<String> lines = new TreeSet<>();
        try (InputStream in = WireFormatTest.class.getResourceAsStream("/troth.protoset")) {
            assertNotNull(in, "the build writes troth.protoset beside the classes");
            for (FileDescriptorProto file : FileDescriptorSet.parseFrom(in).getFileList()) {
                String scope = file.getPackage() + ".";
                if (scope.startsWith("troth.")) {
                    file.getMessageTypeList().forEach(message -> add(lines, scope, message));
                    file.getEnumTypeList().forEach(type -> add(lines, scope, type));
                    file.getServiceList().forEach(service -> add(lines, scope, service));
                }
            }
        }
        return lines;
    }

    private static void add(Set<String> lines, String scope, DescriptorProto message) {
        String name = scope + message.getName();
        for (FieldDescriptorProto field : message.getFieldList()) {
            String type = field.hasTypeName() ? field.getTypeName().substring(1) : word(field.getType());
            String oneof = field.hasOneofIndex()
                    ? " in " + message.getOneofDecl(field.getOneofIndex()).getName()
                    : "";
            lines.add("%s %04d %s: %s %s%s"
                    .formatted(name, field.getNumber(), field.getName(), word(field.getLabel()), type, oneof));
        }
        message.getReservedRangeList()
                .forEach(range ->
                        lines.add("%s %04d reserved to %d".formatted(name, range.getStart(), range.getEnd() - 1)));
        message.getNestedTypeList().forEach(nested -> add(lines, name + ".", nested));
        message.getEnumTypeList().forEach(nested -> add(lines, name + ".", nested));
    }

    private static void add(Set<String> lines, String scope, EnumDescriptorProto type) {
        String name = scope + type.getName();
        type.getValueList()
                .forEach(value -> lines.add("%s %04d %s".formatted(name, value.getNumber(), value.getName())));
        type.getReservedRangeList()
                .forEach(
                        range -> lines.add("%s %04d reserved to %d".formatted(name, range.getStart(), range.getEnd())));
    }

    private static void add(Set<String> lines, String scope, ServiceDescriptorProto service) {
        for (MethodDescriptorProto method : service.getMethodList()) {
            lines.add("%s%s/%s: %s%s -> %s%s"
                    .formatted(
                            scope,
                            service.getName(),
                            method.getName(),
                            method.getClientStreaming() ? "stream " : "",
                            method.getInputType().substring(1),
                            method.getServerStreaming() ? "stream " : "",
                            method.getOutputType().substring(1)));
        }
    }

    private static String word(Enum<?> value) {
        return value.name().replaceFirst("^(TYPE|LABEL)_", "").toLowerCase(Locale.ROOT);
    }
}
