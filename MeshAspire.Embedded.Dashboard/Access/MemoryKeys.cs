using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace MeshAspire.Embedded.Dashboard.Access;

/// <summary>Keys of what lives no longer than this process: they needn't either, and leave nothing on the disk.</summary>
internal sealed class MemoryKeys : IXmlRepository
{
    private readonly Lock _lock = new();
    private readonly List<XElement> _keys = [];

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        lock (_lock)
        {
            return [.. _keys];
        }
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        lock (_lock)
        {
            _keys.Add(element);
        }
    }
}
