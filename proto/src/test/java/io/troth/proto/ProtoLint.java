package io.troth.proto;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.DescriptorProtos.MethodDescriptorProto;
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto;
import com.google.protobuf.DescriptorProtos.SourceCodeInfo.Location;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The rules of our .proto files, read from a descriptor set: names, versioned packages, unspecified zero values,
 * requests and responses of their own, comments. What other linters call their standard set.
 */
final class ProtoLint {

    private static final Pattern UPPER_CAMEL = Pattern.compile("([A-Z][a-z0-9]*)+");
    private static final Pattern LOWER_SNAKE = Pattern.compile("[a-z][a-z0-9]*(_[a-z0-9]+)*");
    private static final Pattern UPPER_SNAKE = Pattern.compile("[A-Z][A-Z0-9]*(_[A-Z0-9]+)*");
    private static final Pattern PACKAGE = Pattern.compile("troth(\\.[a-z]+)*\\.v[1-9][0-9]*");

    private final List<String> complaints = new ArrayList<>();
    private final Map<String, String> rpcOfType = new HashMap<>();

    private ProtoLint() {}

    /** One sentence for each broken rule; empty when all is well. Looks only at our own files. */
    static List<String> check(FileDescriptorSet files) {
        ProtoLint lint = new ProtoLint();
        files.getFileList().stream()
                .filter(file -> !file.getPackage().startsWith("google."))
                .forEach(lint::checkFile);
        return lint.complaints;
    }

    private void checkFile(FileDescriptorProto file) {
        String path = file.getName();
        String pkg = file.getPackage();
        require(PACKAGE.matcher(pkg).matches(), path, "the package " + pkg + " is not troth...vN");
        int slash = path.lastIndexOf('/');
        String directory = slash < 0 ? "" : path.substring(0, slash);
        require(directory.equals(pkg.replace('.', '/')), path, "the directory does not say the package " + pkg);
        String base = path.substring(slash + 1).replaceFirst("\\.proto$", "");
        require(LOWER_SNAKE.matcher(base).matches(), path, "the file name is not lower_snake");
        require(file.getSyntax().equals("proto3"), path, "the syntax is not proto3");
        String javaPackage = "io.troth.proto" + pkg.replaceFirst("^troth", "");
        require(file.getOptions().getJavaPackage().equals(javaPackage), path, "java_package is not " + javaPackage);
        require(file.getOptions().getJavaMultipleFiles(), path, "java_multiple_files is not set");
        for (int i = 0; i < file.getMessageTypeCount(); i++) {
            checkMessage(file, file.getMessageType(i), path, List.of(FileDescriptorProto.MESSAGE_TYPE_FIELD_NUMBER, i));
        }
        for (int i = 0; i < file.getEnumTypeCount(); i++) {
            checkEnum(file, file.getEnumType(i), path, List.of(FileDescriptorProto.ENUM_TYPE_FIELD_NUMBER, i));
        }
        for (int i = 0; i < file.getServiceCount(); i++) {
            checkService(file, file.getService(i), List.of(FileDescriptorProto.SERVICE_FIELD_NUMBER, i));
        }
    }

    private void checkMessage(FileDescriptorProto file, DescriptorProto message, String outer, List<Integer> at) {
        if (message.getOptions().getMapEntry()) {
            return;
        }
        String where = outer + " " + message.getName();
        require(UPPER_CAMEL.matcher(message.getName()).matches(), where, "the message name is not UpperCamel");
        requireComment(file, where, at);
        message.getFieldList()
                .forEach(field -> require(
                        LOWER_SNAKE.matcher(field.getName()).matches(),
                        where,
                        "the field " + field.getName() + " is not lower_snake"));
        message.getOneofDeclList()
                .forEach(oneof -> require(
                        LOWER_SNAKE.matcher(oneof.getName()).matches(),
                        where,
                        "the oneof " + oneof.getName() + " is not lower_snake"));
        for (int i = 0; i < message.getNestedTypeCount(); i++) {
            checkMessage(
                    file, message.getNestedType(i), where, inside(at, DescriptorProto.NESTED_TYPE_FIELD_NUMBER, i));
        }
        for (int i = 0; i < message.getEnumTypeCount(); i++) {
            checkEnum(file, message.getEnumType(i), where, inside(at, DescriptorProto.ENUM_TYPE_FIELD_NUMBER, i));
        }
    }

    private void checkEnum(FileDescriptorProto file, EnumDescriptorProto type, String outer, List<Integer> at) {
        String where = outer + " " + type.getName();
        require(UPPER_CAMEL.matcher(type.getName()).matches(), where, "the enum name is not UpperCamel");
        requireComment(file, where, at);
        String prefix = type.getName().replaceAll("([a-z0-9])([A-Z])", "$1_$2").toUpperCase(Locale.ROOT) + "_";
        type.getValueList().forEach(value -> {
            String name = value.getName();
            require(
                    UPPER_SNAKE.matcher(name).matches() && name.startsWith(prefix),
                    where,
                    "the value " + name + " does not start with " + prefix);
            if (value.getNumber() == 0) {
                require(name.equals(prefix + "UNSPECIFIED"), where, "the zero value is not " + prefix + "UNSPECIFIED");
            }
        });
    }

    private void checkService(FileDescriptorProto file, ServiceDescriptorProto service, List<Integer> at) {
        String where = file.getName() + " " + service.getName();
        require(
                UPPER_CAMEL.matcher(service.getName()).matches()
                        && service.getName().endsWith("Service"),
                where,
                "the service name is not UpperCamel ending in Service");
        requireComment(file, where, at);
        for (int i = 0; i < service.getMethodCount(); i++) {
            MethodDescriptorProto rpc = service.getMethod(i);
            String whereRpc = where + "." + rpc.getName();
            require(UPPER_CAMEL.matcher(rpc.getName()).matches(), whereRpc, "the rpc name is not UpperCamel");
            requireComment(file, whereRpc, inside(at, ServiceDescriptorProto.METHOD_FIELD_NUMBER, i));
            checkOwnType(whereRpc, rpc.getName() + "Request", rpc.getInputType());
            checkOwnType(whereRpc, rpc.getName() + "Response", rpc.getOutputType());
        }
    }

    private void checkOwnType(String where, String wanted, String type) {
        require(type.endsWith("." + wanted), where, "its type " + type + " is not " + wanted);
        String other = rpcOfType.put(type, where);
        require(other == null, where, "its type " + type + " also serves " + other);
    }

    private void requireComment(FileDescriptorProto file, String where, List<Integer> at) {
        boolean commented = file.getSourceCodeInfo().getLocationList().stream()
                .filter(location -> location.getPathList().equals(at))
                .map(Location::getLeadingComments)
                .anyMatch(comment -> !comment.isBlank());
        require(commented, where, "there is no comment above it");
    }

    private static List<Integer> inside(List<Integer> at, int field, int index) {
        List<Integer> path = new ArrayList<>(at);
        path.add(field);
        path.add(index);
        return path;
    }

    private void require(boolean good, String where, String complaint) {
        if (!good) {
            complaints.add(where + ": " + complaint);
        }
    }
}
